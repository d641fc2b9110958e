"""A refresh token works once: whenever a process is killed, the newest sign-in or the one before it is still there."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter

from moodify.music.spotify.tokens import FILE, TokenFile

#: Starts processes that are killed with SIGKILL before a given line of what writes (or reads), and prints what is found afterwards.
AT_EACH_STEP = """
import json, os, signal, sys
from pathlib import Path
from moodify import files
from moodify.music.spotify import tokens

folder = Path(sys.argv[1])
watched = {files.__file__, tokens.__file__}


def token(number):
    return {"access_token": "a", "refresh_token": str(number), "scope": "s", "expires_at": 1}


def survives(step, act):
    child = os.fork()
    if child == 0:
        left = [step]

        def trace(frame, event, _):
            if frame.f_code.co_filename not in watched:
                return None
            if event in {"line", "return"}:
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
            return trace

        sys.settrace(trace)
        act()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFEXITED(status) or os.WTERMSIG(status) == signal.SIGKILL
    return os.WIFEXITED(status)


def newest():
    return tokens.TokenFile(folder).get_cached_token()["refresh_token"]


def write(number):
    tokens.TokenFile(folder).save_token_to_cache(token(number))


def killed_writing(step, before):
    write(before)
    return not survives(step, lambda: write(before + 1))


step = number = 0
seen, done = set(), False
while not done:
    number += 2
    done = not killed_writing(step, number)
    left = sorted(path.name for path in folder.iterdir())
    whole = sum(tokens._read(path) is not None for path in folder.iterdir())
    readings = 0
    if (len(left), whole) not in seen:
        # The next start may be killed as well, while it puts in place what it finds.
        seen.add((len(left), whole))
        while not survives(readings, newest):
            readings += 1
            killed_writing(step, number)
    print(json.dumps({"step": step, "found": int(newest()) - number, "done": done, "left": left, "whole": whole, "readings": readings}))
    step += 1
"""

#: Keeps one token after another and says of each that it is kept.
WRITER = """
import sys
from pathlib import Path
from moodify.music.spotify.tokens import TokenFile
tokens = TokenFile(Path(sys.argv[1]))
for number in range(10**9):
    tokens.save_token_to_cache({"access_token": "a", "refresh_token": str(number), "scope": "s", "expires_at": 1})
    sys.stdout.buffer.write(b"%d\\n" % number)
    sys.stdout.buffer.flush()
"""


def test_a_process_killed_at_any_step_of_the_writing_loses_no_sign_in(tmp_path):
    done = subprocess.run([sys.executable, "-c", AT_EACH_STEP, tmp_path], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert [step["step"] for step in steps] == list(range(len(steps)))
    # 0 is the token before, 1 the newest.
    found = Counter(step["found"] for step in steps)
    assert set(found) == {0, 1}
    assert min(found.values()) > 3
    assert [step["found"] for step in steps] == sorted(step["found"] for step in steps)
    assert (steps[-1]["found"], steps[-1]["done"], steps[-1]["left"]) == (1, True, [FILE])
    # Files left, and how many of them are whole: the old one, the new one beside it begun and written, and the new one.
    assert {(len(step["left"]), step["whole"]) for step in steps} == {(1, 1), (2, 1), (2, 2)}
    assert sorted(step["readings"] > 3 for step in steps)[-4:] == [False, True, True, True]


def test_a_process_killed_at_any_time_has_kept_what_it_said_it_kept(tmp_path):
    when = random.Random(7)
    for turn in range(8):
        folder = tmp_path / str(turn)
        with subprocess.Popen([sys.executable, "-c", WRITER, folder], stdout=subprocess.PIPE) as writer:
            said = [writer.stdout.readline() for _ in range(when.randrange(1, 60))]
            os.kill(writer.pid, signal.SIGKILL)
            said += writer.stdout.read().splitlines(keepends=True)
            assert writer.wait(20) == -signal.SIGKILL
        last = int([line for line in said if line.endswith(b"\n")][-1])
        assert int(TokenFile(folder).get_cached_token()["refresh_token"]) - last in {0, 1}
        # Killed while it wrote: what is not whole is left beside it, and is gone with the next write.
        assert {path.name for path in folder.iterdir()} - {FILE} <= {f"{FILE}.new"}
