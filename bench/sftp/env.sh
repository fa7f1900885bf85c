#!/bin/bash
# env.sh up|down|status  — servers and namespaces for the SFTP bench. All state under $B.
# C0: sshd on 127.0.0.1:$PORT (root netns). C1/C2: sshd in netns sb1s/sb2s on 10.99.{1,2}.2:$PORT,
# clients in sb1c/sb2c; the path is delaytun (5 ms / 30 ms RTT).
set -u
HERE=$(cd "$(dirname "$0")" && pwd); B=${SFTPB:?set SFTPB to a working folder}; PORT=${PORT:-28022}; S=/dev/shm/sftpbench
declare -A OWD=([1]=2500 [2]=15000)
mkdir -p $B/keys $B/logs $B/run $S /run/sshd
up() {
  cat /proc/sys/net/ipv4/tcp_allowed_congestion_control > $B/run/allowed_cc
  # non-init namespaces may only pick an allowed algorithm; without this they keep the box default (bbr)
  sysctl -qw net.ipv4.tcp_allowed_congestion_control="$(cat /proc/sys/net/ipv4/tcp_available_congestion_control)" || true
  [ -f $B/keys/hostkey ] || ssh-keygen -q -t ed25519 -N '' -f $B/keys/hostkey
  [ -f $B/keys/hostkey2 ] || ssh-keygen -q -t ed25519 -N '' -f $B/keys/hostkey2
  [ -f $B/keys/user ] || ssh-keygen -q -t ed25519 -N '' -f $B/keys/user
  cp $B/keys/user.pub $B/keys/authorized; chmod 600 $B/keys/user $B/keys/hostkey $B/keys/hostkey2
  : > $B/keys/known_hosts
  for h in 127.0.0.1 10.99.1.2 10.99.2.2; do echo "[$h]:$PORT $(cut -d' ' -f1,2 $B/keys/hostkey.pub)" >> $B/keys/known_hosts; done
  mkconf() { cat > $B/run/sshd_$1.conf <<X
Port $PORT
ListenAddress $2
HostKey $B/keys/hostkey
PidFile $B/run/sshd_$1.pid
AuthorizedKeysFile $B/keys/authorized
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
StrictModes no
MaxStartups 200
MaxSessions 100
LogLevel ERROR
Subsystem sftp internal-sftp
X
  }
  mkconf c0 127.0.0.1; /usr/sbin/sshd -f $B/run/sshd_c0.conf -E $B/logs/sshd_c0.log
  for n in 1 2; do
    ip netns add sb${n}s; ip netns add sb${n}c
    $B/delaytun sb${n}c tunc sb${n}s tuns ${OWD[$n]} > $B/logs/delay$n.log 2>&1 & echo $! > $B/run/delay$n.pid
    sleep 0.3
    ip -n sb${n}c addr add 10.99.$n.1/24 dev tunc; ip -n sb${n}s addr add 10.99.$n.2/24 dev tuns
    for x in c s; do ip -n sb$n$x link set lo up; ip -n sb$n$x link set tun$x txqueuelen 10000 up
      ip netns exec sb$n$x sysctl -qw net.ipv4.tcp_congestion_control=cubic; done
    mkconf c$n 10.99.$n.2; ip netns exec sb${n}s /usr/sbin/sshd -f $B/run/sshd_c$n.conf -E $B/logs/sshd_c$n.log
  done
  # raw TCP reference server (needs gen_tree.py to have run)
  if [ -f $S/srv/w3/huge_20261120.csv ]; then
    setsid python3 $HERE/rawtcp.py serve 127.0.0.1 28023 $S/srv/w3/huge_20261120.csv >/dev/null 2>&1 & echo $! > $B/run/raw0.pid
    for n in 1 2; do setsid nsenter --net=/run/netns/sb${n}s python3 $HERE/rawtcp.py serve 10.99.$n.2 28023 $S/srv/w3/huge_20261120.csv >/dev/null 2>&1 & echo $! > $B/run/raw$n.pid; done
  fi
  sleep 0.3; status
}
down() {
  [ -f $B/run/allowed_cc ] && sysctl -qw net.ipv4.tcp_allowed_congestion_control="$(cat $B/run/allowed_cc)"; rm -f $B/run/allowed_cc
  for f in $B/run/*.pid; do [ -f $f ] && kill $(cat $f) 2>/dev/null; rm -f $f; done
  for n in 1 2; do ip netns del sb${n}s; ip netns del sb${n}c; done 2>/dev/null
}
status() { for f in $B/run/*.pid; do echo "$f $(cat $f) $(cat /proc/$(cat $f)/comm 2>/dev/null)"; done
  for n in 1 2; do nsenter --net=/run/netns/sb${n}c ping -c3 -i0.2 -q 10.99.$n.2 2>/dev/null | tail -1; done; }
"$@"
