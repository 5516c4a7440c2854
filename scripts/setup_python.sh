# The torch wheel and the peers, in virtual environments of this folder; sourced by setup.sh.
# Python only unpacks wheels here: nothing of it is needed to build or run Lathe.
# shellcheck shell=bash

torch_version=2.15.0
# Without a GPU, libtorch_cpu.so needs no more than these two beside the wheel itself.
torch_cpu_wheels=("torch==$torch_version" nvidia-cuda-runtime==13.5.37 nvidia-cuda-cupti==13.5.25)
torch_python=3.12  # the wheel to take where the installed Python is older than 3.11

# wheel_is_whole SITE NAME: NAME's record is there and its shared libraries have the sizes it lists.
wheel_is_whole() {
  local record listed
  record=$(compgen -G "$1/$2.dist-info/RECORD") || return 1
  # Lines "path,hash,size", ended as pip likes, by CR and LF.
  listed=$(tr -d '\r' <"$record" | awk -F, '$1 ~ /\.so[.0-9]*$/ { print $3, $1 }' | sort)
  [ "$listed" = "$(cd "$1" && cut -d ' ' -f 2- <<<"$listed" | xargs -r stat -c '%s %n' 2>/dev/null | sort)" ]
}

torch_is_whole() {
  local site
  site=$(compgen -G ".deps/torch/lib/python3*/site-packages") || return 1
  wheel_is_whole "$site" "torch-$torch_version" || return 1
  wheel_is_whole "$site" 'nvidia_cuda_runtime-*' || return 1
  wheel_is_whole "$site" 'nvidia_cuda_cupti-*' || return 1
  [ "${CUDA:-0}" != 1 ] || cuda_is_whole "$site"
}

# libcuda.so.1 comes with the driver of the GPU, not with a wheel.
cuda_is_whole() {
  local libraries
  libraries=$(ldd "$1/torch/lib/libtorch_cuda.so" 2>/dev/null) || return 1
  ! grep 'not found' <<<"$libraries" | grep -qv 'libcuda\.so\.1'
}

# new_environment DIR: a fresh virtual environment, for now as DIR.new.
new_environment() {
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
    stop "python3 3.10 or newer is missing (it unpacks the torch wheel)" "sudo apt-get install -y python3 python3-venv"
  rm -rf "$1.new"
  logged venv python3 -m venv "$1.new" ||
    stop "python3 cannot make a virtual environment" "sudo apt-get install -y python3-venv"
}

# publish_environment DIR: DIR.new in the place of DIR; the programs in bin/ that name their own
# folder go, \`bin/python -m pip\` stays.
publish_environment() {
  find "$1.new/bin" -type f \( -name 'pip*' -o -name '?ctivate*' \) -delete
  rm -rf "$1.old"
  if [ -e "$1" ]; then mv "$1" "$1.old"; fi
  mv "$1.new" "$1"
  rm -rf "$1.old"
}

pip_install() {
  local directory=$1
  shift
  logged pip "$directory/bin/python" -m pip install --no-input --disable-pip-version-check "$@"
}

torch_wheel() {
  local what=("${torch_cpu_wheels[@]}") options=(--no-deps) size="0.6 GB"
  ! torch_is_whole || return 0
  if [ "${CUDA:-0}" = 1 ]; then what=("torch==$torch_version") options=() size="about 5 GB"; fi
  say "installing the wheel of torch $torch_version into .deps/torch ($size to download)"
  new_environment .deps/torch
  if ! .deps/torch.new/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    # Only the libraries and headers are used, so a wheel for a newer Python serves as well.
    options+=(--target "$(compgen -G '.deps/torch.new/lib/python3*/site-packages')"
      --python-version "$torch_python" --only-binary=:all:)
  fi
  pip_install .deps/torch.new "${options[@]}" "${what[@]}" ||
    stop "the torch wheel could not be installed (no network, or no room?): ${what[*]}" \
      "python3 -m venv .deps/torch && .deps/torch/bin/python -m pip install ${options[*]} ${what[*]}"
  publish_environment .deps/torch
  torch_is_whole || stop "the torch wheel was installed, but files are missing in .deps/torch"
}

torch_given() {
  if [ ! -e "$TORCH_DIR/lib/libtorch_cpu.so" ] || [ ! -d "$TORCH_DIR/include/ATen" ]; then
    stop "TORCH_DIR=$TORCH_DIR: expected lib/libtorch_cpu.so and include/ATen in it"
  fi
}

peers_environment() {
  cmp -s scripts/peers.txt .deps/peers/peers.txt && return
  say "installing the programs to compare with into .deps/peers (6 GB)"
  new_environment .deps/peers
  pip_install .deps/peers.new -r scripts/peers.txt ||
    stop "the peers could not be installed (no network, or no room?)" \
      "python3 -m venv .deps/peers && .deps/peers/bin/python -m pip install -r scripts/peers.txt"
  cp scripts/peers.txt .deps/peers.new/
  publish_environment .deps/peers
}
