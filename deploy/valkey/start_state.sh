#!/bin/sh
# Starts the state server: start_state.sh SERVER --dir FOLDER ... (docs/decisions/0016).
# An append-only file that the server would refuse is put aside first: the state can be rebuilt from Kafka, but a
# server that never starts stops everything. DRAGOMAN_STATE_FOLDERS_KEPT (3): how many such folders are kept.
# shellcheck disable=SC2016  # the dollars are Valkey's protocol
set -eu

say() {
  printf 'start_state: %s\n' "$*" >&2
}

refuse() {
  say "not started, nothing was touched: $*"
  exit 1
}

read_arguments() {
  server=$(command -v "${1-}") || refuse "no server called '${1-}'"
  case $server in /*) ;; *) server=$PWD/$server ;; esac
  # The script knows the arguments only; it does not read a configuration file.
  case ${2---} in --*) ;; *) refuse "'$2': settings are given as arguments, not in a file" ;; esac
  directory=. before=
  for word in "$@"; do
    case $word in --appendfilename | --appenddirname) refuse "$word: its default is needed here" ;; esac
    [ "$before" != --dir ] || directory=$word
    before=$word
  done
  folder=$directory/appendonlydir
}

read_bound() {
  kept=${DRAGOMAN_STATE_FOLDERS_KEPT:-3}
  case $kept in 0* | *[!0-9]*) refuse "DRAGOMAN_STATE_FOLDERS_KEPT=$kept: 1 or more" ;; esac
}

# The server binary checks files when it is called by another name, so the checker has the server's version.
make_checkers() {
  tools=$(mktemp -d) || refuse "no folder for the checker; TMPDIR names a place for it"
  trap 'rm -rf "$tools"' EXIT
  trap 'exit 143' TERM INT HUP
  aof_checker=$tools/valkey-check-aof.redis-check-aof rdb_checker=$tools/valkey-check-rdb.redis-check-rdb
  { ln -s "$server" "$aof_checker" && ln -s "$server" "$rdb_checker" && write_samples; } || refuse "$tools is full"
}

write_samples() {
  printf '*1\r\n$4\r\nPING\r\n' >"$tools/sound.aof" &&
    printf '*1\r\n$4\r\nPING\r\n\0\0\0\0' >"$tools/spoiled.aof" &&
    printf 'REDIS0009\377\0\0\0\0\0\0\0\0' >"$tools/sound.rdb" &&
    printf 'REDIS0009\0\0\0\0\0\0\0\0\0' >"$tools/spoiled.rdb"
}

# A program that cannot check would call every file spoiled, or no file.
require_checkers() {
  for sample in sound.aof sound.rdb; do
    check "$tools" $sample
    [ "$status" = 0 ] || refuse "$server cannot check: it refuses a sound sample ($sample, status $status)"
  done
  for sample in spoiled.aof spoiled.rdb; do
    check "$tools" $sample
    is_fault_found || refuse "$server cannot check: it finds no fault in a spoiled sample ($sample, status $status)"
  done
}

# check FOLDER FILE: sets `status` and `said`.
check() {
  case $2 in *.rdb) checker=$rdb_checker ;; *) checker=$aof_checker ;; esac
  status=0
  said=$(cd "$1" && "$checker" "$2" 2>&1 </dev/null) || status=$?
}

# Tells whether the fault is in the file, not in the checker's environment. 134, 139: the file crashed the checker.
is_fault_found() {
  case $status:$said in
    1:*'AOF analyzed:'* | 1:*'RDB ERROR DETECTED'* | 134:* | 139:*) return 0 ;;
  esac
  return 1
}

# Sets `fault`: the first file that the server would refuse; empty for none.
find_fault() {
  manifest=$folder/appendonly.aof.manifest fault=
  if ! is_manifest_sound; then
    fault="the manifest is no list of files"
    return
  fi
  files=$(sed -n 's/^file \([^ ]*\) seq [0-9]* type [bi].*/\1/p' "$manifest")
  last=$(printf '%s\n' "$files" | tail -n 1)
  for file in $files; do
    judge "$file" "$last"
    [ -z "$fault" ] || return 0
  done
}

is_manifest_sound() {
  [ -f "$manifest" ] && [ "$(tail -c 1 "$manifest" | wc -l)" -eq 1 ] &&
    ! grep -Evq '^file [A-Za-z0-9._-]+ seq [0-9]+ type [bih]( |$)' "$manifest"
}

# judge FILE LAST: only the last file may end within a command.
judge() {
  if [ ! -e "$folder/$1" ]; then
    fault="$1 is missing"
    return
  fi
  { [ -r "$folder/$1" ] && [ -w "$folder/$1" ]; } || refuse "no right to read and write $folder/$1"
  check "$folder" "$1"
  if [ "$status" = 0 ] || { [ "$1" = "$2" ] && is_cut_short "$1"; }; then
    return
  fi
  is_fault_found || refuse "the check of $folder/$1 failed itself (status $status)"
  sound=$(printf '%s\n' "$said" | sed -n 's/.*ok_up_to=\([0-9]*\).*/\1/p')
  # The checker's own output may contain keys and values, so it is not repeated.
  fault="$1 of $(($(wc -c <"$folder/$1"))) bytes is spoiled${sound:+ from byte $sound on}"
}

# Tells whether the file ends within a command. The server drops such an end, as it does after any kill.
is_cut_short() {
  case $1:$status:$said in
    *.rdb:* | *'format error'*) return 1 ;;
    *:1:*'Expected to read '*' bytes, got '* | *:1:*'Reached EOF before '*) return 0 ;;
    *:1:*'0x'*'Expected '*', got: '*) is_half_a_number "$1" ;;
    *:1:*'0x'*) return 1 ;;
    *:1:*'AOF analyzed:'*) return 0 ;; # between two lines of a command
    *) return 1 ;;
  esac
}

# The checker reports a hole in a length like a length that is cut by the end of the file.
is_half_a_number() {
  offset=$(printf '%s\n' "$said" | sed -n 's/^0x *\([0-9a-f]*\): .*/\1/p')
  rest=$((0x$offset + 1))
  [ "$(tail -c "+$rest" "$folder/$1" | wc -c)" -lt 32 ] &&
    [ "$(tail -c "+$rest" "$folder/$1" | tr -d '*$0-9\r' | wc -c)" -eq 0 ]
}

put_aside() {
  until aside=$folder.unreadable-$(date -u +%Y%m%dT%H%M%SZ) && [ ! -e "$aside" ]; do sleep 1; done
  mv "$folder" "$aside" || refuse "$folder is spoiled and cannot be put aside"
  remove_surplus "$folder".unreadable-*
  say "$fault; put aside as $aside, so the state starts empty and is rebuilt." \
    "$kept such folders are kept (DRAGOMAN_STATE_FOLDERS_KEPT)${removed:+, removed now:$removed}"
}

# Oldest first, by name; never the newest, which has the oldest name if the clock was set back.
remove_surplus() {
  removed='' surplus=$(($# - kept))
  for old in "$@"; do
    if [ "$surplus" -gt 0 ] && [ "$old" != "$aside" ]; then
      rm -rf "$old"
      removed="$removed $old" surplus=$((surplus - 1))
    fi
  done
}

read_arguments "$@"
read_bound
if [ -d "$folder" ] && [ -n "$(ls -A "$folder")" ]; then
  make_checkers
  require_checkers
  find_fault
  [ -z "$fault" ] || put_aside
  rm -rf "$tools"
  trap - EXIT TERM INT HUP
fi
exec "$@"
