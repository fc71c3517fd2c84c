#!/bin/bash
# What RabbitMQ's image calls so; here the server itself.
exec /usr/lib/rabbitmq/bin/"$@"
