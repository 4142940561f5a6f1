"""Let a web scanner loose on a school served on this machine: signed out, and signed in as each role. `make scan`.

    PYTHONPATH=tests/web python tests/scan.py .venv-wapiti/bin/wapiti

The school has an account in every state (tests/web/stage.py) and its forms ask for their tokens as in real life. What
the scanner reports as a vulnerability makes the exit code 1, and so does a scan that did not take place: a scanner that
is missing, that saw too little, or whose session was gone in the end. Nothing outside this machine is asked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from factories import PASSPHRASE, make_home
from networks import served
from stage import set_stage

from socialgov.actions.signin import make_signin_link
from socialgov.escrow import PASSPHRASE_VARIABLE
from socialgov.home import Home
from socialgov.models import Staff
from socialgov.web import build_app

# Not among them: modules that need a server on the internet (ssrf, xxe, log4shell, wapp, nikto, takeover), those for
# other software (cms, wp_enum, network_device, ldap), ssl and https_redirect (here it is plain http on this machine)
# and cookieflags, which wants Secure on plain http: tests/web/test_security.py holds the cookie over https.
MODULES = "backup,crlf,csp,csrf,exec,file,htaccess,http_headers,methods,permanentxss,redirect,sql,upload,xss"
CRAWL_SECONDS = 8
ATTACK_SECONDS = 2  # a module; what is left is asked in the scan of the next role, from other links
FEWEST_PAGES = {"signed out": 1}
FEWEST_OTHERWISE = 8
# wapiti 3.2.3 repeats the form without its body and takes two refusals for two acceptances. Whether a form lacks a
# token it sees rightly; that a wrong one is refused is held by tests/web/test_security.py.
MISTAKEN = "is not properly checked in backend"
# wapiti cuts a module short in the middle of a write into its own store now and then, and falls over the lock
OWN_FAULT, ATTEMPTS = "database is locked", 3
# these would end the scanner's own session, or make the people it is to be signed in as leave the school
LEAVE_ALONE = ("/signout", "/staff/*/leaves")


@dataclass(frozen=True)
class Scanned:
    """What one scan found: `troubles` to act on, and how many addresses it looked at."""

    who: str
    pages: int
    troubles: list[str]


def cookie_of(home: Home, url: str, person: Staff) -> str:
    """A signed-in session with the token of its forms in it, so that it need not change while the scan goes on."""
    with httpx.Client(base_url=url, trust_env=False, headers={"Referer": url}) as client:
        link = make_signin_link(home, person.id, actor="cli", now=home.now())
        token = client.get(link).text.split('name="csrf_token"', 1)[1].split('value="', 1)[1].split('"', 1)[0]
        if client.post(link, data={"csrf_token": token}).status_code != 302:
            raise SystemExit(f"scan: {person.email} could not sign in, so nothing was scanned")
        client.get("/")
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def scan(wapiti: str, url: str, who: str, cookie: str) -> Scanned:
    """One run of the scanner. SystemExit when it did not do its work."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [wapiti, "-u", f"{url}/", "--scope", "domain", "-m", MODULES, "--flush-session", "--no-bugreport"]
        command += ["--store-session", folder, "--store-config", folder, "-f", "json", "-o", str(report)]
        command += ["--max-scan-time", str(CRAWL_SECONDS), "--max-attack-time", str(ATTACK_SECONDS), "--tasks", "4"]
        command += ["-v", "1"] + (["-C", cookie] if cookie else [])
        for path in LEAVE_ALONE:
            command += ["-x", f"{url}{path}"]
        env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        for _ in range(ATTEMPTS):
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=300)
            if OWN_FAULT not in done.stderr:
                break
            print(f"the scanner's own store was locked; again for {who}", flush=True)
        if done.returncode or not report.is_file():
            raise SystemExit(f"scan: wapiti failed for {who}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        found = json.loads(report.read_text(encoding="utf-8"))
    print(f"scanned {who}", flush=True)
    return Scanned(who, int(found["infos"]["crawled_pages_nbr"]), list(troubles(found)))


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
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder))
        stage = set_stage(home)
        with served(build_app(home)) as url:
            results = [scan(wapiti, url, "signed out", "")]
            for role, person in stage.people.items():
                cookie = cookie_of(home, url, person)
                results.append(scan(wapiti, url, role.value, cookie))
                still = httpx.get(f"{url}/", headers={"Cookie": cookie}, trust_env=False)
                if still.status_code != 200:
                    print(f"scan: the session of the {role.value} did not last", file=sys.stderr)
                    return 1
    return told(results)


def told(results: list[Scanned]) -> int:
    """Print what was found; 1 when there is anything, or too little was seen to say so."""
    wrong = 0
    for one in results:
        few = one.pages < FEWEST_PAGES.get(one.who, FEWEST_OTHERWISE)
        wrong += few + len(one.troubles)
        print(f"{one.who}: {one.pages} addresses, {len(one.troubles)} findings{' (TOO FEW ADDRESSES)' if few else ''}")
        for trouble in sorted(set(one.troubles)):
            print(f"  {trouble}")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    raise SystemExit(main(sys.argv[1]))
