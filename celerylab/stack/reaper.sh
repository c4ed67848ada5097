# Ends every process group that its owner registered, once the owner is gone.
#
# The owner (a notebook's kernel, a test) holds the other end of standard input. Jupyter
# ends kernels with SIGKILL, so nothing inside the owner can be relied on to clean up; the
# end of this pipe can. A shell, because a second Python would cost 8 MiB for each lesson.
#
# $1: a folder that goes with the owner. Input, a line each: "watch PGID", "gently PGID", "forget PGID".
trap '' INT TERM HUP
groups=' '
gently=' '
while read -r verb group; do
    case $verb in
        watch) groups="$groups$group " ;;
        gently) groups="$groups$group " gently="$gently$group " ;;
        forget) groups="${groups%% $group *} ${groups#* $group }" ;;
    esac
done
for group in $gently; do
    case $groups in *" $group "*) kill -QUIT "-$group" 2>/dev/null || continue ;; *) continue ;; esac
    # an owner that lives has not taken note of its dead, and they count as if they lived
    tenths=30
    kill -0 "$PPID" 2>/dev/null && tenths=10
    while [ $tenths -gt 0 ] && kill -0 "-$group" 2>/dev/null; do
        sleep 0.1
        tenths=$((tenths - 1))
    done
done
for group in $groups; do
    kill -KILL "-$group" 2>/dev/null
done
rm -rf "$1"
