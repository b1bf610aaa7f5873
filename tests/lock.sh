#!/bin/sh
# Writes the hash-locked requirements. usage: tests/lock.sh FOLDER_WITH_THE_CPU_WHEEL_OF_TORCH
set -eu
wheels=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "torch==2.13.0+cpu" > "$folder/torch.txt"
# What builds the project itself is locked too.
printf 'hatchling==1.31.0\neditables\n' > "$folder/build.in"

compile() {
    uv pip compile --quiet --generate-hashes --no-emit-package torch --no-header --no-annotate \
        --python-version 3.11 --find-links "$wheels" --constraint "$folder/torch.txt" "$@"
}

extra() {
    python3 -c "import tomllib; print('\n'.join(tomllib.load(open('pyproject.toml', 'rb'))[
        'project']['optional-dependencies']['$1']))"
}

compile pyproject.toml "$folder/build.in" -o requirements.lock
extra ocr > "$folder/ocr.in"
compile --constraint requirements.lock "$folder/ocr.in" -o requirements-ocr.lock
compile --constraint requirements.lock --extra test pyproject.toml "$folder/build.in" \
    -o requirements-test.lock
compile tests/bench/peers.in -o tests/bench/peers.lock
compile --constraint requirements-test.lock tests/model/requirements.in \
    -o tests/model/requirements.lock
