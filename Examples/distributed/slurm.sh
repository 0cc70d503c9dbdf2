#!/usr/bin/env bash
#SBATCH --job-name=token-entropy
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --requeue
#
# What orders lose on a set in shards, as job arrays of Slurm. On the machine that submits:
#
#     TOKENS=codes.h5 SHARDS=32 ORDERS="raster distant" ./slurm.sh submit
#
# queues three arrays and the merging after each, every one waiting for the one before; result.json is what
# `order-compare --json` says. A job that failed takes those that wait for it out of the queue: `./slurm.sh submit`
# queues all once more, and files that are there, and newer than what they are made of, are not made again. Where the
# last job says that influences are too noisy, because images are few: PASSES=2 ./slurm.sh submit.
set -euo pipefail

export TOKENS=${TOKENS:-scenes-12x12}
# More that says what TOKENS means, as in --codebook codebook.npy.
export SOURCE=${SOURCE:-}
export SHARDS=${SHARDS:-4}
export ORDERS=${ORDERS:-raster distant}
# How residual sums are to be conditioned, as in --given class; the estimate is given the same.
export CONDITION=${CONDITION:-}
export PASSES=${PASSES:-1}
export FOLDER=${FOLDER:-sums}
export PROGRAM=${PROGRAM:-token-entropy}

# made FILE OF …: whether a file is there, and newer than what it is made of.
made() {
  local file=$1 of
  shift
  [ -s "$file" ] || return 1
  for of in "$@"; do [ ! "$of" -nt "$file" ] || return 1; done
}

# remember FILE WORD …: writes what was asked for, with the sums of the files that it names (a:n=2 and a#3 are of the file
# a), where that has changed.
remember() {
  local file=$1 word
  shift
  {
    echo "$*"
    for word in "$@"; do [ ! -f "${word%%[:#]*}" ] || cksum "${word%%[:#]*}"; done
  } >"$file.new"
  if cmp -s "$file.new" "$file"; then rm "$file.new"; else mv "$file.new" "$file"; fi
}

# parts KIND: the files of all shards, of which a list is made.
parts() {
  local i
  for i in $(seq 1 "$SHARDS"); do echo "$FOLDER/$1-$i-of-$SHARDS.h5"; done
}

# The options with spaces in them are lists of words.
# shellcheck disable=SC2086
run() {
  local kind=$1 index=${SLURM_ARRAY_TASK_ID:-}
  local part=$FOLDER/$kind-$index-of-$SHARDS.h5
  local shard="--tokens $TOKENS $SOURCE --images $index/$SHARDS --threads ${SLURM_CPUS_PER_TASK:-1} --output $part"
  case $kind in
    moments)
      made "$part" "$TOKENS" "$FOLDER/source" || "$PROGRAM" moments $shard --precision double
      ;;
    residuals)
      made "$part" "$FOLDER/moments.h5" "$FOLDER/orders" ||
        "$PROGRAM" moments residuals $ORDERS --moments "$FOLDER/moments.h5" $CONDITION $shard
      ;;
    influences-*)
      local before=$FOLDER/residuals.h5
      [ "$kind" = influences-1 ] || before=$FOLDER/influences-1.h5
      made "$part" "$FOLDER/moments.h5" "$before" ||
        "$PROGRAM" moments influences --moments "$FOLDER/moments.h5" --residuals "$before" $shard
      ;;
    merge)
      mapfile -t files < <(parts "$2")
      made "$FOLDER/$2.h5" "${files[@]}" ||
        "$PROGRAM" moments merge "${files[@]}" --expect "$SHARDS" --output "$FOLDER/$2.h5"
      ;;
    result)
      "$PROGRAM" order-compare --moments "$FOLDER/moments.h5" --influences "$FOLDER/influences-$PASSES.h5" $CONDITION \
        --json >result.json.partial
      mv result.json.partial result.json
      ;;
    *)
      echo "slurm.sh: $kind is no phase" >&2
      exit 64
      ;;
  esac
}

# queue DEPENDENCY ARGUMENT …: a job that starts when another has ended well; prints its number.
queue() {
  local after=$1
  shift
  sbatch --parsable --kill-on-invalid-dep=yes ${after:+--dependency=afterok:$after} "$@"
}

# The options with spaces in them are lists of words.
# shellcheck disable=SC2086
submit() {
  mkdir -p "$FOLDER"
  # Of the tokens the name, since their time says whether they have changed.
  remember "$FOLDER/source" "tokens=$TOKENS" $SOURCE
  remember "$FOLDER/orders" $ORDERS $CONDITION
  local kinds="moments residuals influences-1" last="" kind
  [ "$PASSES" = 1 ] || kinds="$kinds influences-2"
  for kind in $kinds; do
    last=$(queue "$last" --array="1-$SHARDS" "$0" "$kind")
    last=$(queue "$last" --cpus-per-task=1 "$0" merge "$kind")
  done
  last=$(queue "$last" "$0" result)
  echo "result.json comes with job $last"
}

case ${1:-} in
  submit) submit ;;
  "")
    echo "usage: TOKENS=codes.h5 SHARDS=32 ORDERS=\"raster distant\" ./slurm.sh submit" >&2
    exit 64
    ;;
  *) run "$@" ;;
esac
