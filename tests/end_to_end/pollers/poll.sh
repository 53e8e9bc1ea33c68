# Polls by a command, with the options of the variable OPTIONS: `poll.sh PROGRAM URL...`.
program=$1
shift
for url; do
  if test "$program" = wget; then
    outcome=$(wget -nv -O /dev/null $OPTIONS "$url" 2>&1) && outcome=200
  else
    outcome=$("$program" -sS -o /dev/null -w '%{http_code}' $OPTIONS "$url" 2>&1)
  fi
  echo $outcome
done
