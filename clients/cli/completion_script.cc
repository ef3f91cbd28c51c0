// SPDX-License-Identifier: Apache-2.0
// CompletionScript, of clients/cli/completion.h.
#include "clients/cli/completion.h"
#include "clients/cli/json.h"
#include "google/protobuf/struct.pb.h"

namespace bandit::cli {
namespace {

// Bash cuts words at : and = too; they are put together again.
constexpr std::string_view kBash = R"(# banditctl's completion for bash:
#   source <(banditctl completion bash)
_banditctl() {
  local word line files='' i
  local -a words=()
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((${#words[@]})) && [[ $word == [:=]* || ${words[-1]} == *[:=] ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
    else
      word=${line%%$'\t'*}
      # Readline replaces what comes after the last : or = only.
      [[ ${COMP_WORDS[COMP_CWORD]} == "${words[-1]}" ]] || word=${word##*[:=]}
      COMPREPLY+=("$word")
    fi
  done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
  if [[ -n $files ]]; then
    compopt -o default 2>/dev/null
  fi
}
complete -F _banditctl banditctl
)";

constexpr std::string_view kZsh = R"(#compdef banditctl
# banditctl's completion for zsh: put it into a directory of $fpath as
# _banditctl, or, after compinit,
#   source <(banditctl completion zsh)
_banditctl() {
  local line files=
  local -a found
  for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      files=1
    elif [[ -n $line ]]; then
      # A colon within a word must not end it.
      found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    fi
  done
  (( $#found )) && _describe -V 'banditctl' found
  [[ -n $files ]] && _files
  return 0
}
if [[ ${funcstack[1]} == _banditctl ]]; then
  _banditctl "$@"
else
  compdef _banditctl banditctl
fi
)";

constexpr std::string_view kFish = R"(# banditctl's completion for fish:
#   banditctl completion fish | source
function __banditctl_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] "$typed" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$typed"
        else
            echo $line
        end
    end
end
complete -c banditctl -f -a '(__banditctl_complete)'
)";

}  // namespace

Result CompletionScript(const std::string& shell, bool json) {
  const std::string script(shell == "bash"  ? kBash
                           : shell == "zsh" ? kZsh
                                            : kFish);
  if (!json) return {ExitCode::kOk, script, ""};
  google::protobuf::Struct answer;
  (*answer.mutable_fields())["shell"].set_string_value(shell);
  (*answer.mutable_fields())["script"].set_string_value(script);
  return {ExitCode::kOk, ToJson(answer), ""};
}

}  // namespace bandit::cli
