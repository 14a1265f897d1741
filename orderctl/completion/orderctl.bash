# Completion of orderctl for bash.
_orderctl() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb="" i
  local options="--json --older --limit --type --error --all --dry-run --canary --watch --rate --env-file --help --version"
  local queues="order-svc order-svc.place inventory-svc payment-svc"
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      order | stuck | dead) verb=${COMP_WORDS[i]} ;;
    esac
  done
  COMPREPLY=()
  case $before in
    --env-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    --older | --limit | --type | --error | --canary | --watch | --rate) ;;
    dead) mapfile -t COMPREPLY < <(compgen -W "list show retry drop" -- "$word") ;;
    list | show | retry | drop) mapfile -t COMPREPLY < <(compgen -W "$queues" -- "$word") ;;
    *)
      if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
      elif [[ -z $verb ]]; then
        mapfile -t COMPREPLY < <(compgen -W "order stuck dead" -- "$word")
      fi
      ;;
  esac
}
complete -F _orderctl orderctl
