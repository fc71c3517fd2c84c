#!/bin/bash
# rabbitmq-run.sh: runs the broker that its environment describes, with a port mapper of its own: Erlang's would stay behind as a daemon.
epmd -address "$ERL_EPMD_ADDRESS" -port "$ERL_EPMD_PORT" & mapper=$!
/usr/lib/rabbitmq/bin/rabbitmq-server & broker=$!
trap 'kill $broker 2>/dev/null' TERM INT
until wait $broker; [ $? -le 128 ] || ! kill -0 $broker 2>/dev/null; do :; done
kill $mapper 2>/dev/null
