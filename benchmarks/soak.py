# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026 failover.vip contributors

"""False failovers of each timer preset, and of two naive choices, with all cores loaded and advertisements lost.

For each of them two real keepalived, a bridge and a client, each in a network namespace of its own: nothing of it
touches the network of this host, and all of it is removed at the end. The files are those that ``vrrp_plan`` writes.
All pairs run side by side. First come the faults, if any are asked for, on an idle machine: the link of the holder
cut, its keepalived stopped, and both directors cut from each other and joined again. Then the soak: advertisements
dropped at random on the bridge, one busy loop for each core, and every change of holder counted from ``ip monitor``.

The exit status is 1 if ``safe`` or ``standard`` moved a VIP in the soak, or if a fault took longer than the protocol
allows and 100 ms.

usage: make soak, or: python benchmarks/soak.py [--minutes 10] [--loss 30] [--crash 0] [--image bookworm|trixie]
Needs root, iproute2, nftables and keepalived; with --image, podman and the lab's image (lab/image.sh) instead.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / ".ansible" / "collections"))

from ansible_collections.failover.vip.plugins.module_utils._conf._variables import topology
from ansible_collections.failover.vip.plugins.module_utils._conf._write import files
from ansible_collections.failover.vip.plugins.module_utils._live._holders import (
    Event,
    Timeline,
    draw_timeline,
    parse_event,
)
from ansible_collections.failover.vip.plugins.module_utils._model import Cluster
from ansible_collections.failover.vip.plugins.module_utils._plan import GLOBAL_DEFAULTS, plan
from ansible_collections.failover.vip.plugins.module_utils._timers import Bounds, bounds_of, down_timer_adverts
from ansible_collections.failover.vip.tests.oracle.machines import _options as podman_options

ROOT = Path(__file__).resolve().parents[1]
DIRECTORS = {"ka1": "192.0.2.1", "ka2": "192.0.2.2"}
CLIENT, VIP, SENTINEL = "192.0.2.9", "192.0.2.100", "198.51.100.1"
PORT = 7007
#: What the switch counts, and from the soak on loses.
RULES = """table bridge soak {
    counter sent { }
    counter lost { }
    chain loss {
        type filter hook forward priority 0;
        ip protocol 112 counter name sent
    }
}
"""
LOSS = "add rule bridge soak loss ip protocol 112 numgen random mod 100 < %d counter name lost drop\n"
#: Seconds between two questions of the client.
PACE = 0.005
#: Seconds that a split lasts.
SPLIT = 5.0
#: Seconds after which a new holder says a second time where the VIP is (keepalived.conf(5), garp_master_delay).
GARP_DELAY = 5.0
#: Seconds that a fault may take longer than the protocol says.
SLACK = 0.1
#: Seconds that a fault may take less: the wait counts from the last advertisement, which may have been sent late.
EARLY = 0.02
#: Seconds for what takes a few on an idle machine.
PATIENCE = 60.0


class Setting(NamedTuple):
    """One row: a preset by its name, or numbers written into the instance. ``kept``: must not have a false failover."""

    name: str
    timers: str
    options: Mapping[str, float]
    kept: bool = False


SETTINGS = [
    Setting("safe", "safe", {}, True),
    Setting("standard", "standard", {}, True),
    Setting("fast", "fast", {}),
    Setting("1 s x 3", "", {"advert_int": 1}),
    Setting("0.3 s x 3", "", {"advert_int": 0.3}),
]


def planned(setting: Setting) -> Cluster:
    """Both directors' parts, by the functions of vrrp_plan."""
    instance = {
        "name": "SOAK",
        "virtual_router_id": 51,
        "interface": "eth0",
        "virtual_ipaddress": [VIP + "/24"],
        **setting.options,
    }
    variables = {"vrrp_instances": [instance], "global_defs": dict(GLOBAL_DEFAULTS), "timers": setting.timers}
    hosts = {name: {"interfaces": {"eth0": [address + "/24"]}} for name, address in DIRECTORS.items()}
    described, findings = topology(variables, hosts)
    cluster, more = plan(described)
    if findings + more:
        raise SystemExit("\n".join(finding.text() for finding in findings + more))
    return cluster


def false_alarms(timeline: Timeline, home: str) -> int:
    """How often the VIP was no longer with its home alone."""
    at_home = [interval.holders == frozenset((home,)) for interval in timeline.intervals]
    return sum(here and not there for here, there in zip([True, *at_home], at_home, strict=False))


def expected_alarms(adverts: int, loss: float, seconds: float, advert_int: float) -> float:
    """How often so many advertisements in a row are lost by chance: a loss after one that arrived, *adverts* long."""
    return seconds / advert_int * (1 - loss) * loss**adverts


def run(*command: str, stdin: str = "") -> str:
    """A command's standard output; its words are shown where it fails."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit("%s\nfailed with %d: %s" % (" ".join(command), done.returncode, done.stderr[-1000:]))
    return done.stdout


def piped(stream: IO[bytes] | None) -> IO[bytes]:
    """The stream of a process that was started with a pipe there."""
    if stream is None:
        raise TypeError("no pipe")
    return stream


class Pair:
    """Two directors, a switch and a client, each a network namespace; used as a context, which removes them."""

    def __init__(self, setting: Setting, number: int, directory: Path) -> None:
        self.setting, self.directory = setting, directory / str(number)
        self.namespaces = {
            host: "soak%d-%d-%s" % (os.getpid(), number, host) for host in ("switch", "client", *DIRECTORS)
        }
        cluster = planned(setting)
        self.files = {host: files(part, str(self.directory / host)) for host, part in cluster.directors.items()}
        backup = cluster.directors["ka2"]
        self.advert_int = backup.instances[0].advert_int
        self.adverts = down_timer_adverts(backup, backup.instances[0])
        self.bounds: Bounds = bounds_of(backup, backup.instances[0])
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        self.events: list[Event] = []
        self.changed = threading.Condition()
        self.stack = ExitStack()

    def __enter__(self) -> Pair:
        try:
            self._networks()
            for host in DIRECTORS:
                self._watch(host)
                self.start(host)
                self._python("--echo", host, namespace=host)
            self.wait({"ka1"})
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.stack.close()

    def _networks(self) -> None:
        for name in self.namespaces.values():
            run("ip", "netns", "add", name)
            self.stack.callback(run, "ip", "netns", "delete", name)
        switch = self.namespaces["switch"]
        run("ip", "-n", switch, "link", "add", "br0", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        run("ip", "-n", switch, "link", "set", "br0", "up")
        for host, address in {**DIRECTORS, "client": CLIENT}.items():
            own = self.namespaces[host]
            run("ip", "-n", switch, "link", "add", host, "type", "veth", "peer", "name", "eth0", "netns", own)
            run("ip", "-n", switch, "link", "set", host, "master", "br0", "up")
            for link in ("lo", "eth0"):
                run("ip", "-n", own, "link", "set", link, "up")
            run("ip", "-n", own, "address", "add", address + "/24", "dev", "eth0")
        run("ip", "netns", "exec", switch, "nft", "--file", "-", stdin=RULES)
        # One process for all of a run: to start one takes milliseconds, which would be counted as the fault's.
        self.switch = self._popen("ip", "-n", switch, "-force", "-batch", "-", stdin=subprocess.PIPE)

    def _popen(self, *command: str, **streams: Any) -> subprocess.Popen[bytes]:
        """A process that ends with the pair."""
        environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
        process = subprocess.Popen(command, env=environment, start_new_session=True, **streams)  # noqa: S603

        def end() -> None:
            process.terminate()
            process.wait()

        self.stack.callback(end)
        return process

    def _python(self, *words: str, namespace: str, **streams: Any) -> subprocess.Popen[bytes]:
        """This file, run in a namespace with other words."""
        name = self.namespaces[namespace]
        return self._popen("ip", "netns", "exec", name, sys.executable, __file__, *words, **streams)

    def _watch(self, host: str) -> None:
        """Reads ``ip monitor`` of a director; returns once it tells of every address that comes and goes."""
        name = self.namespaces[host]
        command = ("ip", "-n", name, "-ts", "-oneline", "monitor", "address")
        output = piped(self._popen(*command, stdout=subprocess.PIPE).stdout)

        def read() -> None:
            for line in output:
                event = parse_event(host, line.decode("ascii", "replace"))
                if event:
                    with self.changed:
                        self.events.append(event)
                        self.changed.notify_all()

        threading.Thread(target=read, daemon=True).start()
        deadline = time.monotonic() + PATIENCE

        def told() -> bool:
            return any(one.host == host and one.address == SENTINEL for one in self.events)

        while not told():
            if time.monotonic() > deadline:
                raise SystemExit("ip monitor tells nothing of %s" % name)
            for action in ("add", "delete"):
                run("ip", "-n", name, "address", action, SENTINEL, "dev", "lo")
            with self.changed:
                self.changed.wait_for(told, 0.2)

    def _held(self, address: str) -> set[str]:
        """The hosts that hold an address, by what was told so far."""
        last = {event.host: event.held for event in self.events if event.address == address}
        return {host for host, held in last.items() if held}

    def wait(self, holders: set[str], patience: float = PATIENCE) -> None:
        """Until these hosts hold the VIP and no others."""
        with self.changed:
            if not self.changed.wait_for(lambda: self._held(VIP) == holders, patience):
                raise SystemExit(
                    "%s: the VIP is with %s and not with %s after %g s\n%s"
                    % (self.setting.name, sorted(self._held(VIP)), sorted(holders), patience, self.logs())
                )

    def logs(self) -> str:
        """The ends of both daemons' logs."""
        return "\n".join((self.directory / host / "log").read_text(errors="replace")[-1500:] for host in DIRECTORS)

    def late(self) -> int:
        """How often keepalived found that it had been waiting for a processor; only above min_auto_priority_delay."""
        logs = ((self.directory / host / "log").read_text(errors="replace") for host in DIRECTORS)
        return sum(log.count("thread timer expired") for log in logs)

    def start(self, host: str) -> None:
        """Starts a director's keepalived with its planned files."""
        place = self.directory / host
        (place / "conf.d").mkdir(parents=True, exist_ok=True)
        for file in self.files[host]:
            (place / file.path).write_text(file.content, encoding="utf-8")
        pids = [
            word for kind in ("", "vrrp_", "checkers_", "bfd_") for word in ("--%spid" % kind, place / (kind + "pid"))
        ]
        command = ("keepalived", "--dont-fork", "--log-console", "--vrrp", "--use-file", place / "keepalived.conf")
        with (place / "log").open("ab") as log:
            words = [str(word) for word in (*command, *pids)]
            self.daemons[host] = self._popen(
                "ip", "netns", "exec", self.namespaces[host], *words, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def on_switch(self, command: str) -> float:
        """Lets the switch do something at once; returns when, in seconds of the epoch."""
        stream = piped(self.switch.stdin)
        at = time.time()
        stream.write(command.encode() + b"\n")
        stream.flush()
        return at

    def taken(self, host: str, since: float) -> float:
        """Seconds from *since* until the host has the VIP."""

        def found() -> list[float]:
            return [
                one.at
                for one in self.events
                if one.host == host and one.address == VIP and one.held and one.at >= since
            ]

        with self.changed:
            if not self.changed.wait_for(lambda: bool(found()), PATIENCE):
                raise SystemExit("%s: %s never took the VIP\n%s" % (self.setting.name, host, self.logs()))
            return found()[0] - since

    # ---- faults ------------------------------------------------------------------------------------------------------

    def cut_link(self) -> float:
        """The holder's link goes down. Seconds until the other holds the VIP."""
        took = self.taken("ka2", self.on_switch("link set ka1 down"))
        self.on_switch("link set ka1 up")
        self.wait({"ka1"})
        return took

    def stop(self) -> float:
        """The holder's keepalived is stopped. Seconds without a holder."""
        begin = time.time()
        self.daemons["ka1"].terminate()
        self.taken("ka2", begin)
        self.daemons["ka1"].wait()
        end = time.time()
        self.wait({"ka2"})
        gap = self.timeline({"ka1"}, begin, end).longest_gap_ms / 1000
        self.start("ka1")
        self.wait({"ka1"})
        return gap

    def split(self) -> tuple[float, float]:
        """Both are cut from each other, not from the client, and joined again.

        The holder has said for the second time where the VIP is by then: so the client follows the other one.

        Returns the seconds until both hold the VIP, and those from the joining until the client reaches the one that
        keeps it, with every question that it asks from then on.
        """
        (since,) = [one.at for one in self.events if one.address == VIP and one.held and one.host == "ka1"][-1:]
        time.sleep(max(0.0, since + GARP_DELAY + 1 - time.time()))
        asked = self._python("--ask", namespace="client", stdout=subprocess.PIPE)
        cut = self.on_switch("link set ka1 type bridge_slave isolated on\nlink set ka2 type bridge_slave isolated on")
        took = self.taken("ka2", cut)
        time.sleep(SPLIT - took % SPLIT)  # How long it lasts is the fault itself.
        healed = self.on_switch(
            "link set ka1 type bridge_slave isolated off\nlink set ka2 type bridge_slave isolated off"
        )
        self.wait({"ka1"})
        time.sleep(1 + self.advert_int)  # The client goes on asking, in case that it is led astray once more.
        asked.send_signal(signal.SIGINT)
        answers: list[tuple[float, str]] = [tuple(one) for one in json.loads(piped(asked.stdout).read())]
        asked.wait()
        before = [who for at, who in answers if at < healed]
        if before[-1:] != ["ka2"] or len(before) == len(answers):
            raise SystemExit("%s: the split did not lead the client astray" % self.setting.name)
        astray = [at for at, who in answers if at > healed and who != "ka1"]
        return took, (max(astray) + PACE - healed if astray else 0.0)

    # ---- the soak ----------------------------------------------------------------------------------------------------

    def lose(self, percent: int) -> None:
        """From now on so many of a hundred advertisements are dropped at random."""
        run("ip", "netns", "exec", self.namespaces["switch"], "nft", "--file", "-", stdin=LOSS % percent)

    def counters(self) -> dict[str, int]:
        """Advertisements sent and lost since the pair is there."""
        said = run("ip", "netns", "exec", self.namespaces["switch"], "nft", "--json", "list", "counters")
        counters = [item["counter"] for item in json.loads(said)["nftables"] if "counter" in item]
        return {counter["name"]: int(counter["packets"]) for counter in counters}

    def timeline(self, at_first: set[str], start: float, end: float) -> Timeline:
        """Who held the VIP, by what the kernels told."""
        with self.changed:
            return draw_timeline(VIP, at_first, [event for event in self.events if event.at >= start], start, end)


def each(pairs: list[Pair], work: Callable[[Pair], Any]) -> list[Any]:
    """The work of all pairs side by side; in threads that do not outlive an interrupted run."""
    done: dict[int, Any] = {}
    failed: list[BaseException] = []

    def one(number: int) -> None:
        try:
            done[number] = work(pairs[number])
        except BaseException as error:  # noqa: BLE001 (raised again below)
            failed.append(error)

    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(len(pairs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return [done[number] for number in range(len(pairs))]


def faults(pairs: list[Pair], times: int) -> bool:
    """Prints what each kind of fault took; whether all of it was in time."""
    print("\nfaults, %d of each, in ms (least, median, most); crash: link cut, or silent" % times)
    heads = ("", "allowed", "crash", "allowed", "clean stop", "allowed", "client after split")
    print("%-10s %13s %20s %8s %20s %8s %20s" % heads)

    def work(pair: Pair) -> tuple[list[float], list[float], list[float]]:
        crashes, stops, healed = [], [], []
        for _time in range(times):
            crashes.append(pair.cut_link())
            stops.append(pair.stop())
            took, back = pair.split()
            crashes.append(took)
            healed.append(back)
        return crashes, stops, healed

    fine = True
    for pair, measured in zip(pairs, each(pairs, work), strict=True):
        crashes, stops, healed = measured
        low, high = pair.bounds.crash_min, pair.bounds.crash_max
        good = low - EARLY <= min(crashes) and max(crashes) <= high + SLACK
        good &= max(stops) <= pair.bounds.stop + SLACK and max(healed) <= pair.advert_int + SLACK
        fine &= good
        allowed = (
            "%.0f to %.0f" % (low * 1000, high * 1000),
            "%.1f" % (pair.bounds.stop * 1000),
            "%.0f" % (1000 * (pair.advert_int + SLACK)),
        )
        row = (pair.setting.name, allowed[0], spread(crashes), allowed[1], spread(stops), allowed[2], spread(healed))
        print("%-10s %13s %20s %8s %20s %8s %20s%s" % (*row, "" if good else "  MISSED"), flush=True)
    return fine


def spread(seconds: list[float]) -> str:
    """The least, the median and the most, in milliseconds."""
    values = (min(seconds), statistics.median(seconds), max(seconds))
    return " ".join("%.1f" % (value * 1000) for value in values)


def hogs() -> Iterator[subprocess.Popen[bytes]]:
    """One busy loop for each core."""
    for _core in range(os.cpu_count() or 1):
        yield subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)


def soak(pairs: list[Pair], seconds: float, percent: int) -> bool:
    """Prints each pair's false failovers; whether those that must have none had none."""
    busy = list(hogs())
    try:
        for pair in pairs:
            pair.lose(percent)
        before, start = [pair.counters() for pair in pairs], time.time()
        time.sleep(seconds)  # The time is what is measured.
        end, load = time.time(), os.getloadavg()[0]
        after = [pair.counters() for pair in pairs]
    finally:
        for process in busy:
            process.kill()
            process.wait()
    print(
        "\nsoak: %.0f s, %d %% of the advertisements lost, %d busy loops on %d cores, load %.1f"
        % (end - start, percent, len(busy), len(busy), load)
    )
    heads = ("", "sent", "lost", "in a row", "by chance", "false failovers", "two held it", "nobody held it")
    print("%-10s %8s %8s %8s %12s %16s %14s %14s" % heads)
    fine = True
    for pair, first, last in zip(pairs, before, after, strict=True):
        count = {name: last[name] - first[name] for name in last}
        timeline = pair.timeline({"ka1"}, start, end)
        alarms = false_alarms(timeline, "ka1")
        chance = expected_alarms(pair.adverts, percent / 100, end - start, pair.advert_int)
        dead = [host for host, daemon in pair.daemons.items() if daemon.poll() is not None]
        # Fewer advertisements than the half, or not this share of them lost: something else was measured.
        proven = not dead and count["sent"] > 0.5 * (end - start) / pair.advert_int
        proven &= abs(count["lost"] / max(1, count["sent"]) - percent / 100) < 2 / math.sqrt(max(1, count["sent"]))
        good = proven and not (pair.setting.kept and alarms)
        fine &= good
        print(
            "%-10s %8d %8d %8d %12.2g %16d %11.1f ms %11.1f ms%s"
            % (
                pair.setting.name,
                count["sent"],
                count["lost"],
                pair.adverts,
                chance,
                alarms,
                sum(one.length_ms for one in timeline.doubled),
                sum(one.length_ms for one in timeline.gaps),
                "" if good else "  NOT MEASURED " + " ".join(dead) if not proven else "  MISSED",
            )
        )
        if pair.late():
            print("%-10s keepalived said %d times that it ran late" % ("", pair.late()))
    return fine


# ---- inside a namespace ----------------------------------------------------------------------------------------------


def echo(name: str) -> None:
    """Answers every question with its number and this name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("0.0.0.0", PORT))  # noqa: S104 (a namespace without a way out)
        while True:
            question, client = own.recvfrom(64)
            own.sendto(question + b" " + name.encode(), client)


def ask() -> None:
    """Asks the VIP at a fixed pace until SIGINT; prints for every question when it was sent and who answered."""
    sent: list[float] = []
    answers: dict[int, str] = {}
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    begin = time.monotonic()
    try:
        while True:
            own.sendto(b"%d" % len(sent), (VIP, PORT))
            sent.append(time.time())
            while (left := begin + len(sent) * PACE - time.monotonic()) > 0:
                own.settimeout(left)
                with suppress(TimeoutError):
                    number, name = own.recv(64).split()
                    answers[int(number)] = name.decode()
    except KeyboardInterrupt:
        print(json.dumps([(at, answers.get(number, "")) for number, at in enumerate(sent[:-20])]))


# ---- the command -----------------------------------------------------------------------------------------------------


def in_image(release: str, words: list[str]) -> int:
    """The same, in a container of the lab's image that has no network."""
    image = run(str(ROOT / "lab/image.sh"), release).split()[-1]
    prepare = "apt-get install --yes --no-install-recommends keepalived nftables >/dev/null 2>&1 && mkdir -p /run/netns"
    script = '%s && exec python3 /srv/soak/benchmarks/soak.py "$@"' % prepare
    attached = [option for option in podman_options() if option != "--detach"]
    command = ["podman", *attached, "--volume", "%s:/srv/soak:ro" % ROOT, image, "sh", "-c", script]
    return subprocess.run([*command, "soak", *words], check=False).returncode  # noqa: S603


def main() -> int:
    """Measures and prints; 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--loss", type=int, default=30, help="of a hundred advertisements")
    parser.add_argument("--crash", type=int, default=0, metavar="TIMES", help="each kind of fault, before the soak")
    parser.add_argument("--image", choices=("bookworm", "trixie"), help="run in the lab's image, not on this host")
    parser.add_argument("--echo", help=argparse.SUPPRESS)
    parser.add_argument("--ask", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.echo:
        echo(arguments.echo)
    if arguments.ask:
        ask()
        return 0
    if arguments.image:
        words = ["--minutes", str(arguments.minutes), "--loss", str(arguments.loss), "--crash", str(arguments.crash)]
        return in_image(arguments.image, words)
    version = subprocess.run(["keepalived", "--version"], check=False, capture_output=True, text=True)  # noqa: S607
    print("%s, Linux %s" % (version.stderr.splitlines()[0], platform.release()))
    signal.signal(signal.SIGTERM, lambda *_caught: sys.exit(143))
    fine = True
    with tempfile.TemporaryDirectory(prefix="soak") as directory, ExitStack() as stack:
        pairs = [stack.enter_context(Pair(one, number, Path(directory))) for number, one in enumerate(SETTINGS)]
        if arguments.crash:
            fine &= faults(pairs, arguments.crash)
        if arguments.minutes:
            fine &= soak(pairs, arguments.minutes * 60, arguments.loss)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
