# Completion of orderctl for bash.
_orderctl() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb="" i
  local options="--json --older --limit --type --error --action --all --dry-run --canary --watch --rate --days --seconds --mix --order --since --until --force --repair --env-file --help --version"
  # made by ./dev generate: names
  local queues="data-svc inventory-svc notify-svc order-svc order-svc.place payment-svc"
  local outboxes="order-svc inventory-svc payment-svc user-svc notify-svc data-svc"
  # end
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      order | stuck | outbox | topology | broker | dead | audit | replay | pay | reconcile | simulate) verb=${COMP_WORDS[i]} ;;
    esac
  done
  COMPREPLY=()
  case $before in
    --env-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    --action) mapfile -t COMPREPLY < <(compgen -W "dead.retry dead.undo dead.drop replay reconcile simulate" -- "$word") ;;
    --older | --limit | --type | --error | --canary | --watch | --rate | --days | --seconds | --mix | --order | --since | --until) ;;
    outbox | *-svc)
      [[ $verb == outbox ]] && mapfile -t COMPREPLY < <(compgen -W "$outboxes" -- "$word")
      ;;
    topology) mapfile -t COMPREPLY < <(compgen -W "diff" -- "$word") ;;
    broker) mapfile -t COMPREPLY < <(compgen -W "probe" -- "$word") ;;
    dead) mapfile -t COMPREPLY < <(compgen -W "list show retry undo drop" -- "$word") ;;
    list | show | retry | drop | replay) mapfile -t COMPREPLY < <(compgen -W "$queues" -- "$word") ;;
    *)
      if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
      elif [[ -z $verb ]]; then
        mapfile -t COMPREPLY < <(compgen -W "order stuck outbox topology broker dead audit replay pay reconcile simulate" -- "$word")
      fi
      ;;
  esac
}
complete -F _orderctl orderctl
