"""A Slurm of several nodes on this machine: munged, slurmctld and one slurmd a node, all with
sockets, ports and directories of their own.

A guard of its own session ends every process of the cluster and removes its directory when its
standard input closes: when stop() closes it, and as well when whoever started it is killed.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

MARK, NODE = "NUCREG_SLURM_CLUSTER", "NUCREG_SLURM_NODE"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "scancel")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin"


def what_is_missing():
    """Why no cluster can be started here; empty where it can."""
    if os.geteuid() != 0:
        return "slurmd needs root"
    absent = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    return f"not installed: {', '.join(absent)}" if absent else ""


def processes(cluster, node=None):
    """Those of a cluster, or of one node, by their environment; and each slurmstepd that started
    one of them, as its title covers its own."""
    mark = f"{MARK}={cluster}".encode()
    names = [f"{variable}={node}".encode() for variable in (NODE, "SLURMD_NODENAME")]
    found = set()
    for folder in pathlib.Path("/proc").iterdir():
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            if mark not in variables or node and not set(names) & set(variables):
                continue
            found.add(int(folder.name))
            parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
            if pathlib.Path("/proc", parent, "comm").read_text() == "slurmstepd\n":
                found.add(int(parent))
        except OSError:
            pass
    return found


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def kill_all(cluster, node=None):
    """At one moment: none can tell that another has died."""
    while True:
        stopped = set()
        while new := processes(cluster, node) - stopped:
            send(new, signal.SIGSTOP)
            stopped |= new
        if not stopped:
            return
        send(stopped, signal.SIGKILL)
        time.sleep(0.05)


def guard(folder):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.read()
    kill_all(folder)
    shutil.rmtree(folder, ignore_errors=True)


def free_ports(number):
    """Ports that nobody listened on a moment ago."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Cluster:
    """nodes: how many, of 16 processors each, whatever this machine has."""

    def __init__(self, nodes):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nucreg-slurm-"))
        inherited = {k: v for k, v in os.environ.items()
                     if not k.startswith(("OMPI_", "PMIX_", "PMI_", "SLURM_", "SBATCH_"))}
        self.environment = inherited | {
            MARK: str(self.folder), "SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": PATH,
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            # All nodes are this machine: shared memory of two "nodes" would collide.
            "OMPI_MCA_btl": "self,tcp"}
        self.guard = subprocess.Popen(
            [sys.executable, "-B", __file__, str(self.folder)], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, start_new_session=True)
        self.nodes = [f"node{n + 1}" for n in range(nodes)]
        self.write_configuration()
        self.start("munged", "--foreground", "--force", f"--key-file={self.folder}/munge.key",
                   f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munged.pid",
                   f"--log-file={self.folder}/munged.log", f"--seed-file={self.folder}/munged.seed")
        self.wait("munged", lambda: (self.folder / "munge.socket").exists())
        self.start("slurmctld", "-D")
        for node in self.nodes:
            self.start("slurmd", "-D", "-N", node, **{NODE: node})
        self.wait("idle nodes", lambda: self.call("sinfo", "-h", "-o", "%T %D", check=False)
                  .split() == ["idle", str(nodes)])

    def write_configuration(self):
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        for name in ("state", *(f"spool/{node}" for node in self.nodes)):
            (self.folder / name).mkdir(parents=True)
        host = socket.gethostname().split(".")[0]
        ports = free_ports(len(self.nodes) + 1)
        (self.folder / "slurm.conf").write_text(f"""
ClusterName=nucreg
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
AuthType=auth/munge
# A requeued job waits for its old credentials to expire.
AuthInfo=socket={self.folder}/munge.socket,cred_expire=5
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/spool/%n
SlurmctldPidFile={self.folder}/slurmctld.pid
SlurmdPidFile={self.folder}/slurmd-%n.pid
SlurmctldLogFile={self.folder}/slurmctld.log
SlurmdLogFile={self.folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=1,sched_interval=2
SlurmdParameters=config_overrides
SlurmdTimeout=10
KillWait=5
MpiDefault=none
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE
""" + "".join(f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=16 "
              "CoresPerSocket=16 RealMemory=16384\n"
              for node, port in zip(self.nodes, ports[1:], strict=True)), encoding="utf-8")

    def start(self, program, *arguments, **variables):
        subprocess.Popen([shutil.which(program, path=PATH), *arguments], cwd=self.folder,
                         env=self.environment | variables, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait(self, what, over, limit_s=60):
        end = time.monotonic() + limit_s
        while not over():
            if time.monotonic() > end:
                raise AssertionError(f"never came: {what}\n{self.logs()}")
            time.sleep(0.1)

    def call(self, program, *arguments, cwd=None, check=True):
        done = subprocess.run([program, *map(str, arguments)], cwd=cwd, env=self.environment,
                              capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode:
            raise AssertionError(f"{program} {arguments}\n{done.stdout}{done.stderr}{self.logs()}")
        return done.stdout

    def logs(self):
        return "".join(f"-- {path.name}\n{path.read_text()[-3000:]}"
                       for path in sorted(self.folder.glob("*.log")))

    def job(self, number):
        """What scontrol tells of a job, by name."""
        text = self.call("scontrol", "show", "job", number)
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    def ranks(self, number):
        """{pid: node} of the ranks of a job."""
        found = {}
        for pid in processes(self.folder):
            try:
                lines = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            variables = dict(line.decode().split("=", 1) for line in lines if b"=" in line)
            if variables.get("SLURM_JOB_ID") == str(number) and "OMPI_COMM_WORLD_RANK" in variables:
                found[pid] = variables["SLURMD_NODENAME"]
        return found

    def kill_node(self, node):
        """As if its power had gone: slurmd and all that it has started."""
        kill_all(self.folder, node)

    def stop(self):
        self.guard.stdin.close()
        self.guard.wait()


if __name__ == "__main__":
    guard(sys.argv[1])
