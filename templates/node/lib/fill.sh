@# Puts what only the node knows into a document. A value must match its pattern, so it can never end the JSON
   string it stands in; a mark that is left is an error. #@
declare -A HOLES=()

hole() { # NAME PATTERN VALUE
  [[ $3 =~ ^($2)$ ]] || die "the $1 of this node is not usable: '${3:0:80}'"
  HOLES[$1]=$3
}

fill() { # DOCUMENT
  local document=$1 name
  for name in "${!HOLES[@]}"; do
    document=${document//"@@$name@@"/"${HOLES[$name]}"}
  done
  name=${document#*@@}
  [[ $document != *@@* ]] || die "a document lacks the ${name%%@@*} of this node"
  printf '%s\n' "$document"
}
