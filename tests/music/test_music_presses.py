from dataclasses import replace
from datetime import UTC, datetime, time

import pytest
from music_house import LONG_S, THEIRS, Fault, House, song

from moodify.config.model import QuietHours
from moodify.errors import SignInNeeded, SpeakerUnavailable
from moodify.music.situation import Ask, Situation
from moodify.music.words import name
from moodify.types import Act, Mood, OrderStatus, Playback, Speaker

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
NIGHT = QuietHours(start=time(22), end=time(7))
PODCAST = Playback(playing=True, context_uri="spotify:show:news")
PHONE = Speaker("p", "Phone", active=True)
KITCHEN = Speaker("k", "kitchen", active=True)


def decide(house, playback, ask=None):
    return house.policy.decide(Situation(house.now_s, house.local, house.reading, house.people, playback, house.now_s, ask)).decision


def fail(house, ask=Ask.LOOK, **how):
    """Press, and let the speaker refuse."""
    situation = Situation(house.now_s, house.local, house.reading, house.people, house.speaker.look(), house.now_s, ask)
    decision = house.policy.decide(situation).decision
    house.policy.ended(decision, OrderStatus.FAILED, house.now_s, **how)
    return decision


@pytest.mark.parametrize("context_uri", ["spotify:show:news", None])
def test_nothing_is_queued_behind_a_podcast(context_uri):
    house = House(dwell_s=0).feel(Mood.HAPPY)
    decision = decide(house, Playback(playing=True, context_uri=context_uri))
    assert decision.act is Act.KEEP
    assert "no song, such as a podcast" in decision.reason


@pytest.mark.parametrize("ask", [Ask.LOOK, Ask.PAUSE, Ask.NEXT])
def test_a_press_acts_on_a_podcast(ask):
    house = House().feel(Mood.HAPPY)
    assert decide(house, PODCAST, ask).act is {Ask.LOOK: Act.PLAY, Ask.PAUSE: Act.PAUSE, Ask.NEXT: Act.SKIP}[ask]


def test_a_podcast_that_somebody_paused_stays_paused():
    house = House(start_when_silent=True, dwell_s=0).feel(Mood.HAPPY)
    decide(house, PODCAST)
    house.now_s += 30
    assert "Somebody paused" in decide(house, Playback(playing=False, context_uri=PODCAST.context_uri)).reason


@pytest.mark.parametrize("start", [True, False])
def test_nothing_is_done_unasked_while_the_owner_listens_elsewhere(start):
    house = House(listens="Kitchen", dwell_s=0, start_when_silent=start).feel(Mood.HAPPY)
    decision = decide(house, Playback(playing=True, track=THEIRS, speaker=PHONE))
    assert decision.act is Act.KEEP
    assert decision.reason.startswith("The music plays on Phone, not on Kitchen")


@pytest.mark.parametrize(("listens", "there"), [("Kitchen", KITCHEN), ("Kitchen", None), (None, PHONE)])
def test_on_the_owners_speaker_the_mood_is_followed(listens, there):
    house = House(listens=listens, dwell_s=0).feel(Mood.HAPPY)
    assert decide(house, Playback(playing=True, track=THEIRS, speaker=there)).act is Act.QUEUE


@pytest.mark.parametrize(("ask", "act"), [(Ask.LOOK, Act.PLAY), (Ask.PAUSE, Act.KEEP), (Ask.NEXT, Act.KEEP), (Ask.LOOK_FROM_AFAR, Act.KEEP)])
def test_only_a_look_brings_music_here_while_the_owner_listens_elsewhere(ask, act):
    house = House(listens="Kitchen").feel(Mood.HAPPY)
    assert decide(house, Playback(playing=True, track=THEIRS, speaker=PHONE), ask).act is act


def test_a_pause_outlasts_listening_elsewhere():
    house = House(listens="Kitchen", start_when_silent=True).feel(Mood.HAPPY).run(130)
    house.ask(Ask.PAUSE)
    house.run(10)
    decide(house, Playback(playing=True, track=THEIRS, speaker=PHONE))
    house.run(600)
    assert not house.speaker.playing


def test_a_press_that_the_speaker_did_not_take_is_repeated():
    house = House().feel(Mood.HAPPY)
    first = fail(house, error=SpeakerUnavailable("503"))
    house.run(4)
    assert house.acts == []
    assert house.reasons[-1] == "503: press again, or it is tried until 12:01"
    house.run(2)
    assert house.acts == ["play"]
    assert house.log[0][1].track == first.track


def test_a_repeated_press_waits_as_long_as_the_service_said():
    house = House().feel(Mood.HAPPY)
    fail(house, retry_after_s=20.0)
    house.run(19)
    assert house.acts == []
    house.run(1)
    assert house.acts == ["play"]


def test_a_press_that_fails_on_and_on_is_given_up_and_said():
    house = House().feel(Mood.HAPPY)
    house.fault = Fault()
    house.ask(Ask.LOOK)
    house.run(70)
    assert "The speaker did not take it (no reason given): press again" in house.reasons
    house.fault = None
    house.run(600)
    assert not house.speaker.playing


def test_a_press_that_waiting_does_not_help_is_not_repeated():
    house = House().feel(Mood.HAPPY)
    fail(house, error=SignInNeeded("sign in again"))
    house.run(25)
    assert house.acts == []
    assert house.reasons == ["The speaker did not take it (sign in again): press again"]


def test_a_press_is_not_repeated_once_somebody_plays_something_else():
    house = House().feel(Mood.HAPPY)
    fail(house)
    house.speaker.play(song("chosen"))
    house.run(40)
    assert house.acts == []


def test_a_newer_press_takes_the_place_of_one_that_failed():
    house = House().feel(Mood.HAPPY)
    fail(house)
    house.ask(Ask.NEXT)
    house.run(40)
    assert house.acts == []


def test_a_toggle_wants_a_fresh_look_at_the_speaker():
    house = House()
    old = Situation(house.now_s, house.local, None, 0, house.speaker.look(), house.now_s - 4)
    new = Situation(house.now_s, house.local, None, 0, house.speaker.look(), house.now_s - 2)
    assert house.policy.needs_fresh_look(Ask.PAUSE, old)
    assert house.policy.needs_fresh_look(Ask.PAUSE, Situation(house.now_s, house.local, None, 0, None, float("-inf")))
    assert not house.policy.needs_fresh_look(Ask.PAUSE, new)
    assert not house.policy.needs_fresh_look(Ask.LOOK, old)


def test_a_look_that_would_leave_what_plays_alone_wants_a_fresh_look_at_the_speaker():
    house = House().feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.run(10)
    now = house.situation()
    assert house.policy.decide(replace(now, ask=Ask.LOOK)).decision.reason.endswith("goes on")
    assert not house.policy.needs_fresh_look(Ask.LOOK, replace(now, now_s=now.playback_s))
    # Somebody may have paused it by hand since.
    assert house.policy.needs_fresh_look(Ask.LOOK, replace(now, now_s=now.playback_s + 1))
    # That look may fail, and the press is put all the same: what the answer rests on is said then.
    failed = replace(now, ask=Ask.LOOK, playback_unsure=True)
    assert house.policy.decide(failed).decision.reason.endswith("goes on, as far as is known: the speaker does not say just now what it plays")
    # Right after an order of ours it is known without a look.
    assert house.policy.decide(replace(failed, now_s=house.now_s - 9)).decision.reason.endswith("goes on")
    sad = replace(now, now_s=now.playback_s + 1, reading=replace(now.reading, mood=Mood.SAD))
    assert not house.policy.needs_fresh_look(Ask.LOOK, sad)


def test_a_second_toggle_in_a_burst_goes_by_our_own_order():
    house = House(dwell_s=0)
    house.speaker.play(THEIRS)
    old = Situation(house.now_s, house.local, None, 0, house.speaker.look(), house.now_s - 4, Ask.PAUSE)
    decision = house.policy.decide(old).decision
    assert not house.policy.needs_fresh_look(Ask.PAUSE, old)
    house.policy.ended(decision, OrderStatus.DONE, house.now_s)
    assert not house.policy.needs_fresh_look(Ask.PAUSE, old)


def test_a_look_from_afar_does_not_start_a_silent_speaker():
    decision = House().feel(Mood.HAPPY).ask(Ask.LOOK_FROM_AFAR)
    assert decision.act is Act.KEEP
    assert "not started unasked" in decision.reason


def test_a_look_from_afar_starts_one_where_the_owner_allows_it():
    assert House(start_when_silent=True).feel(Mood.HAPPY).ask(Ask.LOOK_FROM_AFAR).act is Act.PLAY


def test_a_look_from_afar_queues_and_does_not_cut():
    house = House()
    house.speaker.play(THEIRS)
    decision = house.feel(Mood.HAPPY).ask(Ask.LOOK_FROM_AFAR)
    assert decision.act is Act.QUEUE
    assert decision.reason.startswith("Looked again, asked from afar: happy: playing 'happy")


def test_a_look_from_afar_keeps_to_the_changes_in_the_window():
    house = House(max_changes=1)
    house.speaker.play(THEIRS)
    house.feel(Mood.HAPPY).ask(Ask.LOOK_FROM_AFAR)
    house.run(LONG_S + 5).feel(Mood.SAD)
    assert "changes at most once" in house.ask(Ask.LOOK_FROM_AFAR).reason


def test_a_look_from_afar_leaves_quiet_hours_quiet():
    house = House(quiet_hours=NIGHT, start_when_silent=True, clock=time(23)).feel(Mood.HAPPY)
    assert house.ask(Ask.LOOK_FROM_AFAR).reason.startswith("Quiet hours")


def test_a_look_from_afar_that_sees_nobody_says_so():
    assert "saw nobody" in House().feel(Mood.ABSENT).ask(Ask.LOOK_FROM_AFAR).reason


def kitchen(*titles, **rules):
    """A home that listens to its own songs, one after another."""
    house = House(**rules).feel(Mood.HAPPY)
    house.speaker.play(song(titles[0], 1000))
    house.speaker.queue = [song(title, 1000) for title in titles[1:]]
    return house.run(5)


def burst(house, *asks, every_s=0.4):
    """Press again before the orders of the presses before have reached the speaker; then let all arrive."""
    orders = []
    for ask in asks:
        house.now_s += every_s
        orders.append(house.decide(ask))
    for order in orders:
        if order.act is not Act.KEEP:
            house.arrive(order)
    return [order.act for order in orders]


@pytest.mark.parametrize(
    ("asks", "acts", "heard"),
    [
        ([Ask.LOOK, Ask.LOOK], [Act.PLAY, Act.KEEP], ["happy"]),
        ([Ask.LOOK, Ask.LOOK, Ask.LOOK], [Act.PLAY, Act.KEEP, Act.KEEP], ["happy"]),
        ([Ask.PAUSE, Ask.PAUSE], [Act.PAUSE, Act.RESUME], []),
        ([Ask.PAUSE, Ask.PAUSE, Ask.PAUSE], [Act.PAUSE, Act.RESUME, Act.PAUSE], []),
        ([Ask.NEXT, Ask.NEXT], [Act.SKIP, Act.SKIP], ["two", "three"]),
        ([Ask.NEXT, Ask.LOOK], [Act.SKIP, Act.PLAY], ["two", "happy"]),
        ([Ask.LOOK, Ask.PAUSE], [Act.PLAY, Act.PAUSE], ["happy"]),
    ],
)
def test_presses_in_a_burst_do_what_a_person_would_expect(asks, acts, heard):
    house = kitchen("one", "two", "three")
    assert burst(house, *asks) == acts
    assert [uri.split(":")[-1].rstrip("0123456789") for uri in house.speaker.started[1:]] == heard
    assert house.speaker.playing is (acts[-1] is not Act.PAUSE)


def test_a_burst_of_looks_says_what_is_on_its_way():
    house = kitchen("one")
    burst(house, Ask.LOOK, Ask.LOOK)
    assert house.reasons[-1] == f"You asked already: {name(house.speaker.track)} is on its way"


def test_next_and_next_again_skips_two_of_our_songs_and_holds_nothing_against_the_second():
    house = House(songs=5).feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.run(30)
    first = house.speaker.track
    house.ask(Ask.NEXT)
    second = house.speaker.track
    house.now_s += 1
    house.ask(Ask.NEXT)
    assert len({first, second, house.speaker.track}) == 3
    assert list(house.policy.memory_as_json(house.now_s, NOON)["not_this"]) == [first.uri]


def test_next_and_next_again_before_the_first_has_arrived_goes_to_a_third_song():
    house = House(songs=5).feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.run(30)
    first = house.speaker.track
    one, two = house.decide(Ask.NEXT), house.decide(Ask.NEXT)
    assert len({first, one.track, two.track}) == 3


def test_a_skip_that_was_dropped_for_the_next_one_is_made_up_for():
    house = kitchen("one", "two", "three")
    one, two = house.decide(Ask.NEXT), house.decide(Ask.NEXT)
    house.policy.ended(one, OrderStatus.DROPPED, house.now_s)
    house.arrive(two)
    house.run(3)
    assert house.speaker.track.title == "three"
    house.run(30)
    assert house.acts == ["skip", "skip", "skip"]


def test_a_skip_that_was_dropped_for_other_music_is_not_made_up_for():
    house = kitchen("one", "two", "three")
    one, two = house.decide(Ask.NEXT), house.decide(Ask.LOOK)
    house.policy.ended(one, OrderStatus.DROPPED, house.now_s)
    house.arrive(two)
    house.run(30)
    assert house.acts == ["skip", "play"]


def test_next_twice_with_a_song_queued_does_not_fall_silent():
    house = House().feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.run(LONG_S - 15)
    assert house.speaker.queue
    house.ask(Ask.NEXT)
    house.now_s += 1
    house.ask(Ask.NEXT)
    assert house.speaker.playing
    assert len(set(house.speaker.started)) == 3


OFFLINE = Fault(SpeakerUnavailable("Spotify can't be reached (ConnectionError); check the network"))
QUOTA = Fault(SpeakerUnavailable("Spotify's quota is spent", retry_after_s=50_400), retry_after_s=50_400)


@pytest.mark.parametrize(("ask", "playing"), [(Ask.LOOK, True), (Ask.NEXT, True), (Ask.PAUSE, False)])
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (OFFLINE, "Spotify can't be reached (ConnectionError); check the network: press again, or it is tried until 12:02"),
        (QUOTA, "Spotify takes no orders until 02:01: press again then, or use the Spotify app"),
        (Fault(SpeakerUnavailable("Kitchen is asleep"), retry_after_s=20), "Kitchen is asleep: press again, or it is tried until 12:02"),
        (
            Fault(SignInNeeded("the sign-in has ended; sign in again"), retry_after_s=600),
            "The speaker did not take it (the sign-in has ended; sign in again): press again",
        ),
    ],
)
def test_a_press_that_does_not_get_through_says_why_and_what_happens_next(ask, playing, fault, says):
    house = kitchen("one", "two")
    house.fault = fault
    assert house.ask(ask).act is not Act.KEEP
    house.run(1)
    assert house.reasons[-1] == says
    assert house.speaker.track.title == "one"


@pytest.mark.parametrize(("fault", "acts"), [(OFFLINE, ["pause", "pause"]), (QUOTA, ["pause"])])
def test_when_the_way_is_free_again_only_a_fresh_press_is_still_done(fault, acts):
    house = kitchen("one")
    house.fault = fault
    house.ask(Ask.PAUSE)
    house.fault = None
    house.run(100)
    assert house.acts == acts


def test_an_order_says_whether_a_person_asked_for_it_also_when_it_is_tried_again():
    house = kitchen("one")
    assert house.policy.decide(house.situation(Ask.PAUSE)).asked
    house = kitchen("one")
    fail(house, Ask.PAUSE)
    house.now_s += 6
    again = house.policy.decide(house.situation())
    assert (again.decision.act, again.asked) == (Act.PAUSE, True)


def test_what_is_done_unasked_says_so():
    house = House(dwell_s=0).feel(Mood.HAPPY)
    house.speaker.play(THEIRS)
    verdict = house.policy.decide(house.situation())
    assert (verdict.decision.act, verdict.asked) == (Act.QUEUE, False)


def test_a_press_during_quota_says_the_same_each_time_and_works_at_once_when_it_is_over():
    house = kitchen("one")
    house.fault = QUOTA
    for _ in range(3):
        house.ask(Ask.LOOK)
        house.run(10)
    assert house.acts == ["play"] * 3
    assert {reason for reason in house.reasons if "no orders" in reason} == {"Spotify takes no orders until 02:01: press again then, or use the Spotify app"}
    house.fault = None
    assert house.ask(Ask.LOOK).act is Act.PLAY


def test_during_quota_the_music_is_left_as_it_is_and_says_why():
    house = House(dwell_s=0).feel(Mood.HAPPY)
    house.speaker.play(THEIRS)
    house.fault = QUOTA
    house.run(150)
    assert house.acts == ["queue"]
    assert house.reasons[-1] == "Spotify's quota is spent: trying again by itself"
    assert house.wake_s is not None
    assert house.wake_s > house.now_s + 50_000


def test_a_press_is_answered_while_an_unasked_order_waits_out_the_quota():
    house = House(dwell_s=0).feel(Mood.HAPPY)
    house.speaker.play(THEIRS)
    house.fault = QUOTA
    house.run(5)
    house.fault = None
    assert house.ask(Ask.PAUSE).act is Act.PAUSE


@pytest.mark.parametrize(("people", "said"), [(1, "You asked: happy, playing"), (2, "You asked: two people, happy, playing"), (12, "You asked: many people, happy, playing")])
def test_several_people_are_said_in_the_reason(people, said):
    assert House().feel(Mood.HAPPY, people=people).ask(Ask.LOOK).reason.startswith(said)


def test_several_people_are_said_where_the_music_follows_their_mood():
    house = House()
    house.speaker.play(THEIRS)
    house.feel(Mood.HAPPY, people=2).run(121)
    assert house.log[0][1].reason == f"Two people, happy for 2 min: playing {name(house.log[0][1].track)} next"
