# Runs the steps of a longer job one after the other, says what it is doing, and ends with a table of what each took.
# To be sourced by bash:
#
#   job_name='make test'
#   step 'lints' cargo clippy
#   finish

# One line "result|seconds|title" per step that has ended.
step_results=()
step_running=''
job_name=${job_name:-job}

# Seconds as 1:05 min.
minutes() {
    printf '%d:%02d min' "$(($1 / 60))" "$(($1 % 60))"
}

# step TITLE COMMAND [ARGUMENT...]: runs the command; if it fails, the job ends.
step() {
    local title=$1 begun=$SECONDS
    shift
    step_running=$title step_begun=$begun
    printf '\n==> %s: %s\n' "$title" "$*"
    "$@"
    step_results+=("ok|$((SECONDS - begun))|$title")
    step_running=''
}

# The table and the last line. Runs at every end of the job, so a failure is summed up too.
summarize() {
    local status=$? result
    trap - EXIT
    # A command of `step` that failed has ended the shell before its result was noted.
    if [ -n "$step_running" ]; then
        step_results+=("FAILED|$((SECONDS - step_begun))|$step_running")
    fi
    printf '\n==> %s\n' "$job_name"
    for result in "${step_results[@]}"; do
        local word=${result%%|*} rest=${result#*|}
        printf '    %-6s  %9s  %s\n' "$word" "$(minutes "${rest%%|*}")" "${rest#*|}"
    done
    if [ "$status" -eq 0 ]; then
        printf '%s: all %d steps passed in %s.\n' "$job_name" "${#step_results[@]}" "$(minutes "$SECONDS")"
    else
        printf '%s: FAILED at "%s" after %s. Its output is above.\n' "$job_name" "${step_running:-start}" "$(minutes "$SECONDS")"
    fi
    exit "$status"
}
trap summarize EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
