"""Any order of signing in, renewing, ending, waiting and setting the clock: held against a model that knows true time alone."""

from clocks import MovedClock
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from moodify.accounts.accounts import GRACE_S, Accounts, NewUser
from moodify.accounts.memory import MemoryAccounts
from moodify.accounts.passwords import Hasher
from moodify.accounts.session import SESSION_DAYS, SESSIONS_AT_MOST
from moodify.errors import NotSignedIn, TooManyTries, WrongSignIn

FIRST, SECOND = "plover granite evening 47", "winter kettle harbour 9"
LIFE_S = SESSION_DAYS * 86_400


class Browser:
    """What one browser holds, and what must be true of it."""

    def __init__(self, given, now_s):
        self.session_id = given.session_id
        self.access = given.access_token
        self.tokens = [given.refresh_token]
        self.used_s = now_s
        self.ended = False


class LifeCycle(RuleBasedStateMachine):
    browsers = Bundle("browsers")

    @initialize(target=browsers)
    def claim(self):
        self.clock, self.places, self.all = MovedClock(), MemoryAccounts(), []
        self.hasher, self.password, self.failures, self.failed_s = Hasher(memory_kib=8, passes=1), FIRST, 0, 0.0
        self.begin_anew()
        given = self.accounts.claim(self.accounts.make_claim_code(), NewUser("ada@example.org", "Ada", FIRST), "x")
        self.user_id = given.user.id
        return self.held(given)

    def begin_anew(self):
        self.accounts = Accounts(self.places, self.hasher, bytes(32), audience="moodify-page:m-test", clock=self.clock)

    def held(self, given):
        browser = Browser(given, self.clock.now_s())
        self.all.append(browser)
        living = sorted((each for each in self.all if self.lives(each)), key=lambda each: each.used_s)
        if len(living) > SESSIONS_AT_MOST:
            # Of several that were used last at the same moment the service may have taken any.
            there = {session.id for session in self.accounts.sessions(self.user_id)}
            (gone,) = [each for each in living if each.session_id not in there]
            assert gone.used_s == living[0].used_s
            gone.ended = True
        return browser

    def lives(self, browser):
        return not browser.ended and self.clock.now_s() - browser.used_s < LIFE_S

    @rule(target=browsers, right=st.just(True))
    def sign_in(self, right):
        locked = self.failures >= 3
        if locked:
            self.clock.pass_by(seconds=900)
        self.failures = 0
        return self.held(self.accounts.sign_in("ada@example.org", self.password, "x"))

    @rule()
    def guess(self):
        try:
            self.accounts.sign_in("ada@example.org", "a wrong password", "x")
        except WrongSignIn:
            self.failures += 1
        except TooManyTries:
            assert self.failures >= 3
        else:
            raise AssertionError("a wrong password signs in")

    @rule(browser=browsers)
    def renew(self, browser):
        alive = self.lives(browser)
        try:
            given = self.accounts.refresh(browser.tokens[-1])
        except NotSignedIn:
            assert not alive
            return
        assert alive
        assert given.session_id == browser.session_id
        browser.tokens.append(given.refresh_token)
        browser.access = given.access_token
        browser.used_s = self.clock.now_s()
        assert self.accounts.who(browser.access).session_id == browser.session_id

    @rule(browser=browsers, back=st.integers(min_value=1, max_value=5))
    def use_an_old_token(self, browser, back):
        if back >= len(browser.tokens):
            return
        excused = self.lives(browser) and back == 1 and self.clock.now_s() - browser.used_s <= GRACE_S
        alive = self.lives(browser)
        try:
            given = self.accounts.refresh(browser.tokens[-1 - back])
        except NotSignedIn:
            assert not excused
            browser.ended = browser.ended or alive
        else:
            assert excused
            assert given.refresh_token == browser.tokens[-1]

    @rule(browser=consumes(browsers))
    def end(self, browser):
        assert self.accounts.end_session(self.user_id, browser.session_id) or not self.lives(browser)
        browser.ended = True

    @rule(browser=browsers, spare=st.booleans())
    def end_all(self, browser, spare):
        self.accounts.end_all(self.user_id, but=browser.session_id if spare else None)
        for each in self.all:
            each.ended = each.ended or not (spare and each is browser)

    @rule(browser=browsers)
    def change_the_password(self, browser):
        new = SECOND if self.password == FIRST else FIRST
        self.accounts.set_password(self.user_id, new, keep=browser.session_id)
        self.password, self.failures = new, 0
        for each in self.all:
            each.ended = each.ended or each is not browser

    @rule(time=st.sampled_from([{"seconds": 1}, {"seconds": 11}, {"minutes": 11}, {"days": 1}, {"days": 29}]))
    def wait(self, time):
        self.clock.pass_by(**time)

    @rule(days=st.sampled_from([1, 40, 10_000]))
    def set_the_clock_on(self, days):
        self.clock.set_by(days=days)

    @precondition(lambda self: all(browser.ended or self.clock.now_s() - browser.used_s < 86_000 for browser in self.all))
    @rule(days=st.sampled_from([1, 40, 10_000]))
    def set_the_clock_back(self, days):
        self.clock.set_by(days=-days)

    @rule()
    def restart_the_service(self):
        self.accounts.sessions(self.user_id)
        self.begin_anew()

    @invariant()
    def who_is_signed_in_is_who_should_be(self):
        if not hasattr(self, "user_id"):
            return
        listed = {session.id for session in self.accounts.sessions(self.user_id)}
        assert listed == {browser.session_id for browser in self.all if self.lives(browser)}
        for browser in self.all:
            try:
                self.accounts.who(browser.access)
            except NotSignedIn:
                continue
            assert self.lives(browser)


LifeCycle.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLifeCycle = LifeCycle.TestCase
