"""A cluster of a benchmark's own, and its database as the superuser sees it."""
import contextlib, json, os, pathlib, subprocess, tempfile


@contextlib.contextmanager
def started(programs, **settings):
    """Runs for the time of the block, without the sample data. Gives what cluster.json says of it, and a folder to write into."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o711)
        state, command = folder / "state", [f"{programs}/heartguard"]
        try:
            subprocess.run(command + ["up", "--state-dir", str(state), "--bin-path", str(programs), "--no-load"], check=True,
                           env=os.environ | settings, stdout=subprocess.DEVNULL)
            yield json.loads((state / "cluster.json").read_text()), folder
        finally:
            subprocess.run(command + ["clean-state", "--state-dir", str(state)], stdout=subprocess.DEVNULL)


def psql(cluster, *commands):
    """What psql prints, unaligned and without heads."""
    postgres = cluster["stores"]["postgres"]
    superuser = json.loads(pathlib.Path(cluster["credentials"]).read_text())["postgres"]["superuser"]
    arguments = [argument for command in commands for argument in ("-c", command)]
    return subprocess.run(
        ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", postgres["host"], "-p", str(postgres["port"]), "-U", superuser["user"],
         "-d", postgres["database"], *arguments],
        env=dict(os.environ, PGPASSWORD=superuser["password"]), check=True, capture_output=True, text=True).stdout


def timed(cluster, command):
    """Seconds that a command of psql takes, by its own clock."""
    told = psql(cluster, "\\timing on", command)
    return float(told.rpartition("Time: ")[2].split()[0]) / 1e3
