#!/bin/sh
# ceph_rgw.sh FOLDER MON_PORT HTTP_PORT : a throw-away Ceph cluster of one node with an S3 gateway, all on loopback.
#
# Needs Debian's packages radosgw, ceph-mon and ceph-osd. One monitor, one store in memory, one gateway with the user
# $KEY_ID and $SECRET. Prints "ready" when the gateway answers; ends, and all that it started with it, on TERM or INT.
# Keeps nothing outside of FOLDER.
set -eu
folder=$1 mon_port=$2 http_port=$3
mkdir -p "$folder/mon" "$folder/osd" "$folder/run"
fsid=$(cat /proc/sys/kernel/random/uuid)
conf=$folder/ceph.conf keys=$folder/keyring pids=""

end() {
  trap - EXIT TERM INT
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  for pid in $pids; do wait "$pid" 2>/dev/null || true; done
}
trap end EXIT
trap 'exit 143' TERM INT

cat > "$conf" <<CONF
[global]
fsid = $fsid
mon host = v2:127.0.0.1:$mon_port
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = $keys
mon data = $folder/mon
osd data = $folder/osd
osd objectstore = memstore
memstore device bytes = 1073741824
run dir = $folder/run
admin socket = $folder/run/\$name.asok
log file = $folder/\$name.log
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
mon data avail crit = 1
rgw frontends = beast endpoint=127.0.0.1:$http_port
CONF

for name in mon. client.admin osd.0; do
  [ -e "$keys" ] && create="" || create=--create-keyring
  ceph-authtool $create "$keys" --gen-key -n "$name" \
    --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
done
monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$mon_port]" "$folder/monmap" >/dev/null
ceph-mon -c "$conf" --mkfs -i a --monmap "$folder/monmap" --keyring "$keys"
ceph-mon -c "$conf" -i a -f & pids="$pids $!"
cluster() { timeout 60 ceph -c "$conf" "$@" >/dev/null; }
cluster osd create
cluster auth import -i "$keys"
ceph-osd -c "$conf" -i 0 --mkfs --keyring "$keys"
cluster osd crush add osd.0 1.0 host=here root=default
ceph-osd -c "$conf" -i 0 -f & pids="$pids $!"
timeout 120 radosgw-admin -c "$conf" user create --uid=test --display-name=test \
  --access-key="${KEY_ID:-test-key}" --secret="${SECRET:-test-secret}" >/dev/null
radosgw -c "$conf" -n client.admin -f & pids="$pids $!"
tries=300
until python3 -c "import urllib.request as r; r.urlopen('http://127.0.0.1:$http_port/', timeout=2)" 2>/dev/null; do
  tries=$((tries - 1)); [ $tries -gt 0 ] || { echo "the gateway does not answer" >&2; exit 1; }
  sleep 0.2
done
echo ready
wait
