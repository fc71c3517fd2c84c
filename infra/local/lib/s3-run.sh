#!/bin/bash
# s3-run.sh FOLDER: runs the three processes of the S3 server that cluster.sh has set up in FOLDER, until one of them ends or this is told to.
folder=$1 conf=$1/ceph.conf
trap 'kill $(jobs -p) 2>/dev/null' EXIT
trap 'exit 0' TERM INT
ceph-mon -c "$conf" -f -i a &
ceph-osd -c "$conf" -f -i 0 &
tries=100
until ceph -c "$conf" osd stat 2>/dev/null | grep -q '1 up' || ((tries-- <= 0)); do sleep 0.1; done
radosgw -c "$conf" -f -n client.rgw.a &
wait -n
