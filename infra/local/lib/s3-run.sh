#!/bin/bash
# s3-run.sh FOLDER: runs the three processes of the S3 server that cluster.sh has set up in FOLDER, until one of them ends or this is told to.
folder=$1 conf=$1/ceph.conf
gateway= osd= mon=
# In order: a gateway without its object server would wait for it.
end() {
  trap - TERM INT EXIT
  local pid
  for pid in $gateway $osd $mon; do kill "$pid" 2>/dev/null; timeout 5 tail --pid="$pid" -f /dev/null || kill -9 "$pid" 2>/dev/null; done
  exit 0
}
trap end TERM INT EXIT
ceph-mon -c "$conf" -f -i a & mon=$!
ceph-osd -c "$conf" -f -i 0 & osd=$!
tries=100
until ceph -c "$conf" osd stat 2>/dev/null | grep -q '1 up' || ((tries-- <= 0)); do sleep 0.1; done
radosgw -c "$conf" -f -n client.rgw.a & gateway=$!
wait -n
