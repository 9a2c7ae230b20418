#!/usr/bin/env python3
"""What a million takes: a person's million readings exported in both forms and restored in another cluster, a million events of the audit log verified, and
searches among a million providers.

Beside each stands what bounds it, taken in the same run: `psql \\copy` of the same rows as JSON, of the same columns of the log, and the search's own plan.

Expected, before measuring. A part of an export is some 2,000 rows: PostgreSQL makes JSON of them at 100,000 a second, which is read by Vitals, sent to Users and
written down by a second statement; at a quarter of that bound, 25,000 records a second, it takes 40 s. A resource of FHIR is put together in Vitals from
a row that is decoded, 30 us: 15,000 a second. Restoring reads each line twice (as JSON here, and there), and inserts under five indexes: 20,000 a second. An
event that is verified is 17 columns and a SHA-256 over 250 bytes, 4 us on one core, while PostgreSQL sorts and sends: 150,000 a second. Memory does not
grow with any of it: below 100 MB in each program. A search for providers reads a page from an index, 2 ms with the call; for words that are in a name among
a million, 10.

Usage: Benchmarks/records.py [--count N] [--bin-path FOLDER]   It starts clusters of its own and removes them.
"""
import argparse, base64, datetime, hashlib, http.client, json, pathlib, ssl, statistics, subprocess, time, urllib.parse, uuid

from harness.cluster import psql, started, timed
from harness.report import Report
from services import ROOT, call

PASSWORD = "a phrase for a benchmark"
NAMES = "ARRAY['Ada','Grace','Karen','Radia','Barbara','Frances','Hedy','Joan','Mary','Sophie']"
SURNAMES = "ARRAY['Lovelace','Hopper','Jones','Perlman','Liskov','Allen','Lamarr','Clarke','Jackson','Wilson']"
SPECIALTIES = "ARRAY['cardiology','electrophysiology','general_practice','internal_medicine','endocrinology','nutrition','psychology','physiotherapy','other']"
SEARCHES = {
    "all, best rated first": {}, "of a specialty": {"specialty": "SPECIALTY_CARDIOLOGY"},
    "of a specialty and a rating": {"specialty": "SPECIALTY_NUTRITION", "minRating": "4.5"},
    "by words of the name": {"query": "ada love 77777"}, "by a common word of the name": {"query": "ada"}, "by a word that is nowhere": {"query": "zzyzx"},
}


class Cluster:
    def __init__(self, cluster, folder, programs):
        self.cluster, self.folder, self.programs = cluster, folder, programs
        self.base, self.ca = f"https://127.0.0.1:{cluster['gateway']['json']}", cluster["tls"]["ca"]
        (folder / "password").write_text(PASSWORD)

    def heartguard(self, *words):
        """Seconds that a command takes."""
        began = time.monotonic()
        done = subprocess.run([f"{self.programs}/heartguard", *map(str, words), "--state-dir", self.cluster["state"]], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"heartguard {words[0]} {words[1]} ended with {done.returncode}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        return time.monotonic() - began

    def register(self):
        account = {"email": "million@heartguard.test", "password": PASSWORD, "name": "A Million"}
        token = call(self.base, self.ca, "/v1/users", account)["tokens"]["accessToken"]
        claims = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"], token

    def peak(self, service):
        """The most memory that a program has had, in MB."""
        with open(f"/proc/{self.cluster['services'][service]['pid']}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))


def add_readings(cluster, person, count):
    psql(cluster, f"""
        INSERT INTO vitals.vitals (user_id, id, metric, value, unit, effective_at, utc_offset_minutes, source, sequence)
        SELECT '{person}', gen_random_uuid(), '8867-4', 60 + n % 40, '/min', timestamptz '2020-01-01' + n * interval '1 minute', 0, 'bench', n
        FROM generate_series(1, {count}) n""", "VACUUM (ANALYZE) vitals.vitals")


def add_events(cluster, folder, count):
    """A chain as a process would have written it."""
    writer, person, trace = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    known = b"".join(part(value) for value in (person.bytes, person.bytes, b"user", None, b"heartguard.vitals.v1.VitalsService", b"GetLatestObservations",
                                               b"read", None, b"PATRQT", number(0), trace.bytes, b"a request of a benchmark"))
    before = bytes(32)
    with open(folder / "events", "w") as file:
        for sequence in range(1, count + 1):
            moment = start + datetime.timedelta(milliseconds=sequence)
            microseconds = int(start.timestamp()) * 1_000_000 + sequence * 1_000
            digest = hashlib.sha256(before + b"\x01" + part(writer.bytes) + part(number(sequence)) + part(number(microseconds)) + known).digest()
            file.write(f"{writer},{sequence},{moment.isoformat()},{person},{person},user,,heartguard.vitals.v1.VitalsService,GetLatestObservations,read,,PATRQT,0,"
                       f"{trace},a request of a benchmark,\\x{before.hex()},\\x{digest.hex()}\n")
            before = digest
    psql(cluster, f"\\copy heartguard.audit_log FROM '{folder / 'events'}' (FORMAT csv)", "VACUUM (ANALYZE) heartguard.audit_log")


def part(value):
    return b"\xff\xff\xff\xff" if value is None else len(value).to_bytes(4, "big") + value


def number(value):
    return value.to_bytes(8, "big")


def add_providers(cluster, count):
    psql(cluster, f"""
        INSERT INTO users.providers (id, name, specialty, languages, rating, review_count)
        SELECT gen_random_uuid(), ({NAMES})[1 + n % 10] || ' ' || ({SURNAMES})[1 + n / 10 % 10] || ' ' || n, ({SPECIALTIES})[1 + n % 9], '{{en}}',
               1 + (n % 41) / 10.0, n % 500
        FROM generate_series(1, {count}) n""", "VACUUM (ANALYZE) users.providers")


def search(cluster, token, query, times=50):
    """Milliseconds of calls one after the other, over one connection."""
    connection = http.client.HTTPSConnection(urllib.parse.urlsplit(cluster.base).netloc, context=ssl.create_default_context(cafile=cluster.ca))
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        connection.request("GET", f"/v1/providers?{urllib.parse.urlencode(query)}", headers={"authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"a search was refused: {answer.status} {body[:300]}")
        taken.append((time.perf_counter() - began) * 1e3)
    return taken


def measure(report, cluster, other, count):
    person, token = cluster.register()
    add_readings(cluster.cluster, person, count)
    folder, known = cluster.folder, ("--email", "million@heartguard.test", "--password-file", cluster.folder / "password")
    bound = count / timed(cluster.cluster, f"\\copy (SELECT row_to_json(v) FROM vitals.vitals v WHERE user_id = '{person}') TO '{folder / 'rows'}'")
    rates = {}
    for form, name in (("JSON Lines", "all.jsonl"), ("FHIR", "all.json")):
        rates[form] = count / cluster.heartguard("records", "export", folder / name, *known)
        report.row(f"export as {form}", "heartguard", "records/s", round(rates[form]))
        report.row(f"export as {form}, file", "heartguard", "MB", round((folder / name).stat().st_size / 1e6))
    report.row("export as JSON Lines", "psql \\copy", "records/s", round(bound))
    for service in ("users", "vitals"):
        report.row(f"most memory of {service.capitalize()}", "heartguard", "MB", round(cluster.peak(service)))
    restored = count / other.heartguard("records", "restore", folder / "all.jsonl", "--password-file", folder / "password")
    report.row("restored from JSON Lines", "heartguard", "records/s", round(restored))

    add_events(cluster.cluster, folder, count)
    bound = count / timed(cluster.cluster, f"\\copy (SELECT * FROM heartguard.audit_log ORDER BY writer, sequence) TO '{folder / 'log'}' (FORMAT binary)")
    verified = count / cluster.heartguard("audit", "verify")
    report.row("events verified", "heartguard", "events/s", round(verified))
    report.row("events verified", "psql \\copy", "events/s", round(bound))

    add_providers(cluster.cluster, count)
    slowest = 0
    for what, query in SEARCHES.items():
        taken = search(cluster, token, query)
        middle, late = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
        slowest = max(slowest, late)
        report.row(f"providers {what}, p50", "heartguard", "ms", round(middle, 2))
        report.row(f"providers {what}, p95", "heartguard", "ms", round(late, 2))

    report.at_least("export as JSON Lines, records/s", 25_000, round(rates["JSON Lines"]))
    report.at_least("export as FHIR, records/s", 15_000, round(rates["FHIR"]))
    report.at_least("restored, records/s", 20_000, round(restored))
    report.at_least("events verified a second", 150_000, round(verified))
    report.at_most("most memory of Users and Vitals", 100, round(max(cluster.peak("users"), cluster.peak("vitals"))), " MB")
    report.at_most("slowest search for providers, p95", 10, round(slowest, 2), " ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000, help="readings, events and providers")
    parser.add_argument("--bin-path", default=str(ROOT / ".build/release"))
    options = parser.parse_args()
    programs = pathlib.Path(options.bin_path).resolve()
    report = Report("records")
    with started(programs, HEARTGUARD_RATE_LIMIT_USER="1000000") as one, started(programs) as other:
        measure(report, Cluster(*one, programs), Cluster(*other, programs), options.count)
    report.show()
    report.write()


if __name__ == "__main__":
    main()
