#!/bin/sh
# keshi: the command line of an installed Keshi, as the service's own account, with its settings.
set -eu
lib=/usr/local/lib/keshi
if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid=keshi --regid=keshi --init-groups -- "$0" "$@"
fi
if [ -r /etc/keshi/environment ]; then
    set -a
    . /etc/keshi/environment
    set +a
fi
case "${1:---help}" in
    -*) set -- "${1:---help}" ;;
    *)
        command=$1
        shift
        set -- "$command" --config /etc/keshi/config.yaml "$@"
        ;;
esac
PYTHONPATH=$lib/app exec "$lib/venv/bin/python" -P -m server "$@"
