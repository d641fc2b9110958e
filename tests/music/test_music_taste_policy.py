"""The taste in the policy: what a household skips day by day plays less and less."""

from random import Random

from music_house import House, song

from moodify.music.situation import Ask
from moodify.music.song import Candidate
from moodify.music.taste import ThompsonTaste
from moodify.types import Mood

DAYS, DAY_S = 12, 86_400.0
SONGS_A_DAY = 8


def days_of(house, disliked):
    """Run some minutes of music each day; the household skips an artist's songs. Return which artists played, by day."""
    songs = tuple(Candidate(song(f"song{number}", artist=disliked if number % 2 else f"Artist {number}")) for number in range(24))
    house.pool.fill(Mood.HAPPY, songs, 0.0)
    artists = {each.track.uri: each.track.artist for each in songs}
    heard = []
    for day in range(DAYS):
        house.feel(Mood.HAPPY)
        house.ask(Ask.LOOK)
        began = len(house.speaker.started)
        while len(house.speaker.started) - began < SONGS_A_DAY:
            house.run(5, tick_s=5)
            if house.speaker.playing and artists[house.speaker.track.uri] == disliked:
                house.ask(Ask.NEXT)
        heard.append([artists[uri] for uri in house.speaker.started[began:]])
        house.ask(Ask.PAUSE)
        house.now_s += DAY_S - day
        house.day_s += DAY_S - day
    return heard


def test_what_is_skipped_day_by_day_plays_less_and_less():
    shares = {}
    for learning in (True, False):
        heard = days_of(House(taste=ThompsonTaste(Random(3)), learning=learning, start_when_silent=True, no_repeat=5), "Paper Weather")
        late = [artist for day in heard[DAYS // 2 :] for artist in day]
        shares[learning] = late.count("Paper Weather") / len(late)
    assert shares[True] < shares[False] - 0.1


def test_a_decision_says_what_was_learned():
    house = House(taste=ThompsonTaste(Random(3)), no_repeat=0)
    house.pool.fill(Mood.HAPPY, [Candidate(song("only", artist="Lantern Parade"))], 0.0)
    house.feel(Mood.HAPPY).ask(Ask.LOOK)
    house.ask(Ask.LIKE)
    house.ask(Ask.PAUSE)
    house.feel(Mood.SAD).ask(Ask.LOOK)
    house.feel(Mood.HAPPY).ask(Ask.LOOK)
    assert any("you liked it before" in reason for reason in house.reasons)
