#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What the two processes still may once they have started, seen from outside: no capabilities, system calls filtered, no
# debugger, no core. What the filter forbids is tried one by one in tests/unit/test_sandbox.c.
. "$(dirname "$0")/lib.sh"

ue_files
lab_up --subscribers "$work/subscribers.jsonl"
check "a call works" call "$TKMS_ADDRESSES"

# confined PID: every thread of it. IPC_LOCK (bit 14) may stay where RLIMIT_MEMLOCK is not infinite.
confined() {
  python3 - "$1" <<'PYTHON'
import glob, re, sys
pid = sys.argv[1]
limit = re.search(r"Max locked memory +(\S+)", open(f"/proc/{pid}/limits").read()).group(1)
allowed = 0 if limit == "unlimited" else 1 << 14
threads = glob.glob(f"/proc/{pid}/task/*/status")
assert threads
for path in threads:
    status = dict(re.findall(r"^(\w+):\s*(\S+)", open(path).read(), re.M))
    print(path, {k: status[k] for k in ("CapPrm", "CapEff", "CapInh", "CapAmb", "NoNewPrivs", "Seccomp")})
    assert int(status["CapPrm"], 16) & ~allowed == 0 and int(status["CapEff"], 16) & ~allowed == 0
    assert int(status["CapInh"], 16) == 0 and int(status["CapAmb"], 16) == 0
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
assert re.search(r"Max core file size +0 +0", open(f"/proc/{pid}/limits").read())
PYTHON
}
for process in control dataplane; do
  check "$process: no thread has a capability or an unfiltered system call, and no core may be written" \
    confined "$(cat "/run/$TKMS_LAB-lab/node1/$process.pid")"
done

# Processes of a service user, attacked by the same user.
user=(setpriv --reuid 65533 --regid 65533 --clear-groups)
service=("${user[@]}" --inh-caps=-all,+ipc_lock --ambient-caps=-all,+ipc_lock --bounding-set=-all,+ipc_lock)
mkdir "$work/service"
chmod 711 "$work"
cp "$TKMS_BUILD/control/tkms-control" "$TKMS_BUILD/control/tkmsctl" "$TKMS_BUILD/dataplane/tkms-dataplane" "$work/"
cat >"$work/service/tkms.yaml" <<EOF
kms: {identity: kms@tkms.example}
node: {name: s, state_dir: $work/service/state, run_dir: $work/service, kek_file: $work/service/kek}
service: {addresses: [192.0.2.1/24]}
EOF
chown -R 65533:65533 "$work/service"
check "a service user makes a store" "${service[@]}" "$work/tkmsctl" init --config "$work/service/tkms.yaml"
# Cores are asked for: the processes have to refuse.
cd "$work/service"
ulimit -c unlimited
"${service[@]}" "$work/tkms-control" --config "$work/service/tkms.yaml" >"$work/control.log" 2>&1 &
control=$!
"${service[@]}" env XDG_RUNTIME_DIR="$work/service" "$work/tkms-dataplane" --socket "$work/service/dataplane.sock" -- --no-huge -m 256 \
  --vdev=net_null0 >"$work/dataplane.log" 2>&1 &
dataplane=$!
background+=("$control" "$dataplane")
ctl() { "$work/tkmsctl" --socket "$work/service/control.sock" "$@"; }
connected() { ctl status --json | jq -e '.dataplane.connected and .dataplane.epoch >= 1'; }
eventually 20 "its processes find each other" connected
check "its control process is confined" confined "$control"
check "its data plane is confined" confined "$dataplane"

# One control process, one data plane: another one says so itself, and ends.
second() {
  timeout 30 "${service[@]}" env XDG_RUNTIME_DIR="$work/service" "$work/tkms-dataplane" --socket "$work/service/dataplane.sock" \
    -- --no-huge -m 256 --vdev=net_null0
}
refuses "a second data plane on the same socket ends by itself and says why" "serves another data plane" second
check "the first one is still served" connected

cat >"$work/attack.py" <<'PYTHON'
"""Attacks a process of the same user: as a debugger, through its memory file, its maps, its descriptors."""
import ctypes, errno, os, sys
pid = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
done = libc.ptrace(0x4206, pid, None, None) == 0  # PTRACE_SEIZE: the victim does not stop
print("ptrace", done, os.strerror(ctypes.get_errno()))
for path in ("mem", "maps", "environ", "fd"):
    try:
        (os.listdir if path == "fd" else lambda p: open(p, "rb").close())(f"/proc/{pid}/{path}")
        print(path, "open")
        done = True
    except PermissionError as e:
        print(path, e)
sys.exit(0 if done else 1)
PYTHON
cp "$work/attack.py" "$work/service/"
"${user[@]}" --inh-caps=-all sleep 100 >/dev/null &
victim=$!
background+=("$victim")
is_exposed() { "${user[@]}" --inh-caps=-all /usr/bin/python3 "$work/service/attack.py" "$1"; }
eventually 5 "another process of that user is open to it" is_exposed "$victim"
for pid in "$control" "$dataplane"; do
  refuses "neither memory nor descriptors of $(ps -o comm= "$pid") are" "ptrace False" is_exposed "$pid"
done

# A crash. What the kernel does with other processes' cores is the machine's own affair.
cat >"$work/crash.py" <<'PYTHON'
"""Starts a command that has to be confined, crashes it, tells whether the kernel wrote a core."""
import os, resource, signal, subprocess, sys, time
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
process = subprocess.Popen(sys.argv[2:], stderr=open(sys.argv[1], "w"))
for i in range(200):
    assert process.poll() is None, open(sys.argv[1]).read()
    if "Seccomp:\t2" in open(f"/proc/{process.pid}/status").read():
        break
    time.sleep(0.1)
else:
    process.kill()
    sys.exit("never confined: " + open(sys.argv[1]).read())
os.kill(process.pid, signal.SIGSEGV)
pid, status = os.waitpid(process.pid, 0)
assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSEGV, status
sys.exit("a core was written" if os.WCOREDUMP(status) else 0)
PYTHON
kill "$control" "$dataplane"
wait "$control" "$dataplane" || fail "they do not end with status 0"
check "a crash of the control process leaves no core" \
  python3 "$work/crash.py" "$work/control.log" "${service[@]}" "$work/tkms-control" --config "$work/service/tkms.yaml"
check "a crash of the data plane leaves no core" \
  python3 "$work/crash.py" "$work/dataplane.log" "${service[@]}" env XDG_RUNTIME_DIR="$work/service" "$work/tkms-dataplane" \
  --socket "$work/service/dataplane.sock" -- --no-huge -m 256 --vdev=net_null0
no_core() { ! find "$work" -name 'core*' | grep .; }
check "and there is no file of one" no_core
check "calls work all the while" call "$TKMS_ADDRESSES"
