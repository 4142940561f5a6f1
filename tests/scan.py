"""Let a web scanner loose on a school served on this machine: signed out, and signed in as each role. `make scan`.

    PYTHONPATH=tests/web python tests/scan.py .venv-wapiti/bin/wapiti

Each role gets a school of its own, so that nothing one scan presses is felt by the next. The school has an account in
every state (tests/web/stage.py) and its forms ask for their tokens as in real life. Everybody has just shown who they
are, as by a passkey, and stays so: the school's clock stands still. The network manager has the vault open.

What the scanner reports as a vulnerability makes the exit code 1, and so does a scan that did not take place: a scanner
that is missing, that failed time and again, that saw too little, or whose session or open vault was gone in the end.
Nothing outside this machine is asked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from factories import PASSPHRASE, VAULT_PASSPHRASE, make_home
from networks import served
from stage import Stage, set_stage

from socialgov.actions.signin import make_signin_link
from socialgov.actions.stepup import mark_strong
from socialgov.escrow import PASSPHRASE_VARIABLE
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store.connect import write
from socialgov.store.signin import open_sessions
from socialgov.store.vault import holder_of
from socialgov.web import build_app

# Not among them: modules that need a server on the internet (ssrf, xxe, log4shell, wapp, nikto, takeover), those for
# other software (cms, wp_enum, network_device, ldap), ssl and https_redirect (here it is plain http on this machine)
# and cookieflags, which wants Secure on plain http: tests/web/test_security.py holds the cookie over https.
MODULES = "backup,crlf,csp,csrf,exec,file,htaccess,http_headers,methods,permanentxss,redirect,sql,upload,xss"
CRAWL_SECONDS = 12
ATTACK_SECONDS = 4  # a module; its scan ends then, whether it has asked everything or not
LONGEST_SECONDS = 240  # far more than the crawl and every module together; a scanner that hangs is stopped
FEWEST_PAGES = {"signed out": 1}
FEWEST_OTHERWISE = 8
# wapiti 3.2.3 repeats the form without its body and takes two refusals for two acceptances. Whether a form lacks a
# token it sees rightly; that a wrong one is refused is held by tests/web/test_security.py.
MISTAKEN = "is not properly checked in backend"
# wapiti cuts a module short in the middle of a write into its own store now and then, and falls over the lock: with a
# traceback, or politely, without a report and with exit code 0
OWN_FAULTS = ("database is locked", "database must have been locked")
ATTEMPTS = 5
# these would end the scanner's own session, shut its vault, or make the very person it is signed in as leave the
# school; what it does to anybody else is its business, for the next scan has a school of its own
ENDS_SESSION = ("/signout", "/vault/shut")
ENDS_SESSION_OF = (
    "/staff/{}/leaves",
    "/staff/{}/secure",
    "/staff/{}/roles",
    "/vault/remove/{}",
    "/signing-in/people/{}/end-sessions",
)
ENDS_THIS_SESSION = "/signing-in/sessions/{}/end"
VAULT_IS_OPEN = "The vault is open"  # stands on each page meanwhile


@dataclass(frozen=True)
class Scanned:
    """What one scan found: `troubles` to act on, how many addresses it looked at, and why it counts for nothing."""

    who: str
    pages: int = 0
    troubles: tuple[str, ...] = ()
    failure: str = ""


@contextmanager
def staged() -> Iterator[tuple[Stage, str]]:
    """A school that nobody has touched, and where it is served meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        stage = set_stage(make_home(Path(folder)))
        with served(build_app(stage.home)) as url:
            yield stage, url


@dataclass(frozen=True)
class SignedIn:
    """A session with the token of its forms in its cookie, so that it need not change while the scan goes on."""

    cookie: str
    leave_alone: tuple[str, ...]  # what would end it
    must_see: str = ""  # on each page, as long as it is what it was

    def lost(self, url: str) -> str:
        """What of it is gone, or nothing."""
        still = httpx.get(f"{url}/", headers={"Cookie": self.cookie}, trust_env=False)
        if still.status_code != 200:
            return f"this scan ended its own session (now / answers {still.status_code}): the rest saw nothing"
        return "" if self.must_see in still.text else f"this scan lost {self.must_see!r}: the rest did not see it"


def sign_in(home: Home, url: str, person: Staff) -> SignedIn:
    """By a link; then as after a passkey, and with the vault open where this person opens it."""
    with httpx.Client(base_url=url, trust_env=False, headers={"Referer": url}) as client:
        link = make_signin_link(home, person.id, actor="cli", now=home.now())
        _pressed(client, link, person)
        (session,) = open_sessions(home.db, person.id)
        with write(home.db) as db:
            mark_strong(db, session.id, "passkey", home.now())
        opens = holder_of(home.db, person.id, "manager") is not None
        if opens:
            _pressed(client, "/vault/open", person, passphrase=VAULT_PASSPHRASE)
        client.get("/")
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    alone = (path.format(person.id) for path in ENDS_SESSION_OF)
    return SignedIn(cookie, (*alone, ENDS_THIS_SESSION.format(session.id)), VAULT_IS_OPEN if opens else "")


def _pressed(client: httpx.Client, page: str, person: Staff, **typed: str) -> None:
    """The form of a page, sent with its token; it must lead on."""
    token = client.get(page).text.split('name="csrf_token"', 1)[1].split('value="', 1)[1].split('"', 1)[0]
    if client.post(page, data={"csrf_token": token, **typed}).status_code != 302:
        where = page.rsplit("/", 1)[0]
        raise SystemExit(f"scan: {person.email} did not get past {where}, so nothing was scanned")


def scan(wapiti: str, role: Role | None) -> Scanned:
    """As this role, or signed out. Begun again, on another school and with another store, when the scanner failed."""
    seen: tuple[str, ...] = ()  # what an attempt found that then fell over counts all the same
    for attempt in range(1, ATTEMPTS + 1):
        found = scanned_once(wapiti, role)
        seen = tuple(dict.fromkeys(seen + found.troubles))
        if not found.failure:
            break
        print(f"attempt {attempt} of {ATTEMPTS} as {found.who} failed: {found.failure}", file=sys.stderr, flush=True)
    print(f"scanned {found.who}", flush=True)
    return replace(found, troubles=seen)


def scanned_once(wapiti: str, role: Role | None) -> Scanned:
    who = role.value if role else "signed out"
    with staged() as (stage, url), tempfile.TemporaryDirectory() as store:
        signed_in = sign_in(stage.home, url, stage.people[role]) if role else SignedIn("", ())
        report = Path(store) / "report.json"
        failure = failure_of(command_of(wapiti, url, signed_in, report), report)
        if not report.is_file():
            return Scanned(who, failure=failure)
        found = json.loads(report.read_text(encoding="utf-8"))
        wrong = list(troubles(found))
        if role and (lost := signed_in.lost(url)):
            wrong.append(lost)
        return Scanned(who, int(found["infos"]["crawled_pages_nbr"]), tuple(wrong), failure)


def command_of(wapiti: str, url: str, signed_in: SignedIn, report: Path) -> list[str]:
    command = [wapiti, "-u", f"{url}/", "--scope", "domain", "-m", MODULES, "--flush-session", "--no-bugreport"]
    command += ["--store-session", str(report.parent), "--store-config", str(report.parent)]
    command += ["-f", "json", "-o", str(report), "--tasks", "4", "-v", "1"]
    command += ["--max-scan-time", str(CRAWL_SECONDS), "--max-attack-time", str(ATTACK_SECONDS)]
    for path in (*ENDS_SESSION, *signed_in.leave_alone):
        command += ["-x", f"{url}{path}"]
    return command + (["-C", signed_in.cookie] if signed_in.cookie else [])


def failure_of(command: list[str], report: Path) -> str:
    """Run the scanner; why its work does not count, or nothing."""
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        return f"wapiti was not done in {LONGEST_SECONDS} seconds"
    told = done.stdout + done.stderr
    if any(fault in told for fault in OWN_FAULTS):
        return "wapiti fell over the lock of its own store"
    if done.returncode or not report.is_file():
        without = "" if report.is_file() else " without a report"
        return f"wapiti ended with {done.returncode}{without}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return ""


def troubles(report: dict[str, dict[str, list[dict[str, str]]]]) -> Iterator[str]:
    """Vulnerabilities, and answers that show a fault of ours (the scanner calls a 5xx an anomaly)."""
    for kind in ("vulnerabilities", "anomalies"):
        for title, cases in report[kind].items():
            for case in (case for case in cases if MISTAKEN not in case["info"]):
                yield f"{title}: {case['method']} {case['path']} {case.get('parameter') or ''} ({case['info']})"


def main(wapiti: str) -> int:
    if not Path(wapiti).exists():
        print(f"scan: there is no scanner at {wapiti}; `make scan` installs it", file=sys.stderr)
        return 1
    os.environ.setdefault(PASSPHRASE_VARIABLE, PASSPHRASE)
    return told([scan(wapiti, role) for role in (None, *Role)])


def told(results: list[Scanned]) -> int:
    """Print what was found; 1 when there is anything, or too little was seen to say so."""
    wrong = 0
    for one in results:
        few = one.pages < FEWEST_PAGES.get(one.who, FEWEST_OTHERWISE)
        wrong += few + len(one.troubles) + bool(one.failure)
        remark = " (THE SCANNER FAILED)" if one.failure else " (TOO FEW ADDRESSES)" if few else ""
        print(f"{one.who}: {one.pages} addresses, {len(one.troubles)} findings{remark}")
        for trouble in sorted(set(one.troubles)):
            print(f"  {trouble}")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    raise SystemExit(main(sys.argv[1]))
