# Sourced by the suites that start servers.
#
# initdb refuses root and the server's user may not read the checkout, so tests are copied into a directory of that
# user's and run there. Results of a failure are copied back to build/results.

export PGCTLTIMEOUT=600  # of a machine that is slow, or does other things as well

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
pg_config=${PG_CONFIG:-pg_config}
bindir=$("$pg_config" --bindir)
pgxs_tests=$(dirname "$("$pg_config" --pgxs)")/../test

if [ "$(id -u)" = 0 ]; then
  server_user=postgres
  as_server_user() { (cd "$stage" && setpriv --reuid "$server_user" --regid "$server_user" --init-groups \
    env HOME="$stage" USER="$server_user" LOGNAME="$server_user" "$@"); }
else
  server_user=$(id -un)
  as_server_user() { (cd "$stage" && "$@"); }
fi

stage=$(mktemp -d "${TMPDIR:-/tmp}/pg_visage_tests.XXXXXX")
remove_stage() {
  [ -n "${KEEP:-}" ] && echo "kept: $stage" >&2 || rm -rf "$stage"
}
trap remove_stage EXIT

mkdir "$stage/tests"
cp -r "$repository"/tests/{sql,specs,tap,vectors} "$stage/tests/" 2>/dev/null || true
cp -r "$repository/expected" "$stage/expected"
# The README's SQL, which the test "tour" runs.
awk '/^```sql/ { inside = 1; next } /^```/ { inside = 0 } inside' "$repository/README.md" > "$stage/tests/sql/readme_tour.psql"
mkdir "$stage/keys"
for name in envelope transform; do
  (umask 077; echo "1 $(openssl rand -hex 32)" > "$stage/keys/$name")
done
cat > "$stage/server.conf" <<EOF
shared_preload_libraries = 'pg_visage'
visage.key_provider = 'file:$stage/keys/envelope'
visage.transform_key_provider = 'file:$stage/keys/transform'
fsync = off
timezone = 'UTC'
EOF
chown -R "$server_user" "$stage"

keep_results() {  # copies what explains a failure to where its developer looks
  rm -rf "$repository/build/results" && mkdir -p "$repository/build/results"
  cp -r "$@" "$repository/build/results/" 2>/dev/null || true
  echo "see build/results" >&2
}
