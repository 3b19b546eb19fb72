#!/usr/bin/env bash
#
# What tools/release writes and what it refuses, in a repository made of a copy of this
# source tree, whose git may hold something else, or be missing. This script's own link
# leads to the tree.

set -euo pipefail

folder="$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
readonly source="${folder%/*}"
scratch="$(mktemp -d "${TEST_TMPDIR:-${TMPDIR:-/tmp}}/release.XXXXXX")"
trap 'chmod -R u+w "${scratch}"; rm -rf "${scratch}"' EXIT
cd "${scratch}"
# Neither a repository around the scratch folder nor somebody's settings are meant.
export GIT_CEILING_DIRECTORIES="${scratch}" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

copy_source() {
  mkdir "$1"
  tar --create --directory="${source}" --exclude=./.git --exclude=./.bazel . |
    tar --extract --directory="$1"
}

# refused SENTENCE COMMAND...: it fails and says so, in one of its lines.
refused() {
  local sentence="$1" said
  shift
  if said="$("$@" 2>&1)"; then
    fail "not refused: $*"
  fi
  grep -qF -- "${sentence}" <<<"${said}" ||
    fail "$*"$'\n'"does not say: ${sentence}"$'\n'"but: ${said}"
}

mkdir out
copy_source bare

# --- Without git. ---------------------------------------------------------------

mkdir programs
for program in bash env readlink; do
  ln -s "$(command -v "${program}")" programs
done
refused "release: git is not installed" env PATH="${scratch}/programs" bare/tools/release
if ! command -v git >/dev/null; then
  echo "PASSED as far as it goes: there is no git here to test with"
  exit 0
fi
refused "is no git repository: run this in a clone" bare/tools/release --output=out

# --- The same bytes. ------------------------------------------------------------

commit() {
  git -C "$1" add --all
  git -C "$1" -c user.name=tester -c user.email=tester@example.com commit --quiet --message="$2"
}
mv bare repo
git -C repo init --quiet
commit repo first
version="$(sed -n 's/^ALCOVE_VERSION = "\(.*\)"$/\1/p' repo/version.bzl)"
readonly version
readonly name="alcove-${version}" archive="alcove-${version}.tar.gz"

# release COPY FOLDER [ARGUMENT...]: one in a folder of its own.
release() {
  local copy="$1" folder="$2"
  shift 2
  mkdir "${folder}"
  "${copy}/tools/release" --output="${folder}" "$@" >"${folder}.said"
  [[ "$(<"${folder}.said")" == "${scratch}/${folder}/${archive}"$'\n'"    \"${version}\": \"$(
    sha256sum "${folder}/${archive}" | cut -d ' ' -f 1
  )\"," ]] || fail "it printed: $(<"${folder}.said")"
}

same() { cmp "first/${archive}" "$1/${archive}" || fail "$1: other bytes"; }

release repo first
release repo second
same second

git clone --quiet repo clone
# Other modes, another time zone, language and way to end lines; and a file system that
# lists folders in an order of its own.
git -C clone config core.autocrlf true
git -C clone config tar.umask 0077
(
  umask 077
  export LC_ALL=C.UTF-8
  [[ ! -w /dev/shm ]] || export TMPDIR=/dev/shm
  TZ=Asia/Tokyo release clone elsewhere
)
git -C clone config core.autocrlf false
same elsewhere

# The same tree in another commit; and with the files of today's tests changed.
echo "# changed" >>clone/tests/README.md
commit clone second
release clone later
same later

# A change is in no release unless it is committed.
echo "# changed" >>clone/core/README.md
refused "the work tree has changes that are in no commit" clone/tools/release --output=out
release clone named --commit=HEAD
same named
commit clone third
release clone changed
! cmp --silent "first/${archive}" "changed/${archive}" || fail "a change makes no difference"
release clone before --commit=HEAD~1
same before

# --- What is in it. -------------------------------------------------------------

# check_contents TARBALL NUMBER: what every release has, and has not; unpacks it.
check_contents() {
  local tarball="$1" number="$2" top="alcove-$2" file entries unpacked
  entries="$(tar --list --gzip --file="${tarball}")"
  ! grep -v "^${top}/" <<<"${entries}" || fail "${tarball}: not all is in ${top}/"
  ! grep -E "^${top}/(tests|bench|examples|tools/[^Bc]|third_party|\.)" <<<"${entries}" ||
    fail "${tarball} has what is not for users"
  for file in BUILD.bazel LICENSE-APACHE LICENSE-MIT MODULE.bazel README.md WORKSPACE \
    version.bzl core/BUILD.bazel core/alcove_core.bzl instances/defs.bzl platform/BUILD.bazel; do
    grep -qx "${top}/${file}" <<<"${entries}" || fail "${tarball} has no ${file}"
  done
  ! TZ=UTC tar --list --verbose --numeric-owner --gzip --file="${tarball}" |
    grep -vE '^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x) 0/0 .* 2000-01-01 00:00 ' ||
    fail "${tarball} has a machine's modes, owners or times"

  unpacked="$(mktemp -d unpacked.XXXXXX)"
  tar --extract --gzip --file="${tarball}" --directory="${unpacked}"
  unpacked+="/${top}"
  grep -qx "ALCOVE_VERSION = \"${number}\"" "${unpacked}/version.bzl" ||
    fail "${tarball}: another version in version.bzl"
  grep -qx "    version = \"${number}\"," "${unpacked}/MODULE.bazel" ||
    fail "${tarball}: another version in MODULE.bazel"
  grep -q '^bazel_dep(name = "rules_cc"' "${unpacked}/MODULE.bazel" ||
    fail "${tarball}: MODULE.bazel lacks what users need"
  ! grep -E 'dev_dependency|use_extension' "${unpacked}/MODULE.bazel" ||
    fail "${tarball}: MODULE.bazel names what our own tests need"
  [[ "$(grep -cE '^[a-z_]+\(|^load' "${unpacked}/WORKSPACE")" == 1 ]] ||
    fail "${tarball}: WORKSPACE does more than to give a name"
  # What a BUILD or .bzl file loads of this repository has to be there.
  while IFS= read -r file; do
    [[ -e "${unpacked}/${file}" ]] || fail "${tarball}: ${file} is loaded, but missing"
  done < <(grep -rhoE --include='*.bzl' --include=BUILD.bazel 'load\("//[^"]*' "${unpacked}" |
    sed -e 's|^load("//||' -e 's|:|/|' -e 's|^/||')
}

check_contents "first/${archive}" "${version}"
for part in core handover instances platform registry BUILD.bazel LICENSE-APACHE LICENSE-MIT README.md \
  version.bzl; do
  diff -r "repo/${part}" unpacked.*/"${name}/${part}" || fail "${part} is not the commit's"
done

# The frozen ones were made so.
frozen=0
for file in repo/tests/versions/alcove-*.tar.gz; do
  base="$(basename "${file}" .tar.gz)"
  check_contents "${file}" "${base#alcove-}"
  frozen=$((frozen + 1))
done

# --- What it refuses. -----------------------------------------------------------

refused "'--fast' is no argument: write --commit=COMMIT or --output=FOLDER" \
  repo/tools/release --fast
refused "'--output=' is no argument" repo/tools/release --output=
refused "nowhere is no folder" repo/tools/release --output=nowhere
refused "'--commit' is no argument" repo/tools/release --commit HEAD
refused "'lost' is no commit" repo/tools/release --commit=lost --output=out
refused "/${archive} exists: a release is made once" repo/tools/release --output=first
touch repo/platform/new.cc
refused "?? platform/new.cc" repo/tools/release --output=out
rm repo/platform/new.cc

# changed_repo SED FILE: a clone, `bad`, with a commit that the change is in.
changed_repo() {
  rm -rf bad
  git clone --quiet repo bad
  sed -i "$1" "bad/$2"
  commit bad bad
}
changed_repo 's/^ALCOVE_VERSION = .*/ALCOVE_VERSION = "77.7.7"/' version.bzl
refused "version.bzl says '77.7.7', MODULE.bazel '${version}': write the same in both." \
  bad/tools/release --output=out
changed_repo '/^# --- Not part of a release/d' WORKSPACE
refused "WORKSPACE has no line '# --- Not part of a release: ...'" bad/tools/release --output=out
rm -rf bad
git clone --quiet repo bad
rm bad/LICENSE-MIT
commit bad bad
refused "HEAD lacks a part of a release" bad/tools/release --output=out
[[ -z "$(ls -A out)" ]] || fail "what is refused leaves files behind: $(ls -A out)"

# A new version has a new name.
changed_repo "s/\"${version}\"/\"77.7.7\"/" version.bzl
sed -i "s/\"${version}\"/\"77.7.7\"/" bad/MODULE.bazel
commit bad bad
bad/tools/release --output=out >/dev/null
check_contents out/alcove-77.7.7.tar.gz 77.7.7

echo "PASSED (frozen releases: ${frozen})"
