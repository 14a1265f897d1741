# shellcheck shell=sh disable=SC2034
# Takes URLs that are secret apart, for the scripts beside it; none of them passes one to another program's arguments.

fail() {
  echo "${0##*/}: $1" >&2
  exit 2
}

decode() {
  printf %s "$1" | perl -pe 's/%([0-9A-Fa-f]{2})/chr hex $1/ge'
}

# has_url NAME: NAME, or NAME_FILE, which names a file with it, is set
has_url() {
  eval "[ -n \"\${$1:-}\${$1_FILE:-}\" ]"
}

# url_cut NAME PORT: sets url_scheme, url_user, url_password, url_host, url_port and url_path. PORT: the default.
url_cut() {
  eval "url=\${$1:-} url_file=\${$1_FILE:-}"
  if [ -z "$url" ]; then
    [ -n "$url_file" ] || fail "set $1_FILE to a file with the URL"
    url=$(cat "$url_file") || fail "$1_FILE: $url_file cannot be read"
  fi
  case $url in
  *://*:*@*/*) ;;
  *) fail "$1 must be scheme://user:password@host[:port]/name (its value is secret)" ;;
  esac
  url_scheme=${url%%://*}
  url_rest=${url#*://}
  url_login=${url_rest%@*}
  url_place=${url_rest##*@}
  url_address=${url_place%%/*}
  url_user=$(decode "${url_login%%:*}")
  url_password=$(decode "${url_login#*:}")
  url_host=${url_address%:*}
  url_port=${url_address##*:}
  [ "$url_port" != "$url_address" ] || url_port=$2
  url_path=${url_place#*/}
  url_path=$(decode "${url_path%%\?*}")
}
