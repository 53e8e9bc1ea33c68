# Polls by a command, with the options of the variable OPTIONS: `poll.sh PROGRAM URL...`.
program=$1
shift
for url; do
  if test "$program" = wget; then
    said=$(wget -nv -O /dev/null $OPTIONS "$url" 2>&1) && said=200
  else
    said=$("$program" -sS -o /dev/null -w '%{http_code}' $OPTIONS "$url" 2>&1)
  fi
  echo $said
done
