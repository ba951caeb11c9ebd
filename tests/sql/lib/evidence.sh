#!/usr/bin/env bash
# Signed evidence for the tests of factors: evidence.sh COMMAND ARGUMENT …; keys and certificates lie in a directory.
set -euo pipefail
command=$1 directory=$2
cd "$directory"
authority() {  # authority <name>
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" -days 2 \
    -subj "/CN=$1" -addext keyUsage=critical,keyCertSign,cRLSign 2> /dev/null
}
certificate() {  # certificate <name> <authority> <serial>
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2> /dev/null
  printf 'keyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' > extensions
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -set_serial "$3" -days 1 -extfile extensions -out "$1.pem" 2> /dev/null
}
case $command in
  make)  # make <directory>: an authority with two certificates and a list that revokes the second; two services' keys
    authority root
    certificate alice root 1
    certificate revoked root 2
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=1\n' > ca.cnf
    printf 'R\t491231235959Z\t240101000000Z\t02\tunknown\t/CN=revoked\n' > index
    echo 01 > number
    openssl ca -gencrl -config ca.cnf -cert root.pem -keyfile root.key -out root.crl 2> /dev/null
    for service in sms other; do
      openssl genpkey -algorithm ED25519 -out "$service.key" 2> /dev/null
      openssl pkey -in "$service.key" -pubout -out "$service.pub"
    done ;;
  show)  # show <directory> <file>
    cat "$3" ;;
  otp)  # otp <directory> <key> <service> <subject> <nonce, hex> <issued, s> <expires, s>
    printf 'visage/otp/1\nservice: %s\nsubject: %s\nnonce: %s\nissued: %s\nexpires: %s\n' "${@:4}" > text
    openssl pkeyutl -sign -rawin -inkey "$3.key" -in text -out signature
    cat text; printf 'signature: %s\n' "$(base64 -w 0 signature)" ;;
  certificate)  # certificate <directory> <name> <session> <nonce, hex>
    printf 'visage/certificate/1\nsession: %s\nnonce: %s\n' "$4" "$5" > text
    openssl dgst -sha256 -sign "$3.key" -out signature text
    cat "$3.pem"; printf -- '-----BEGIN SIGNATURE-----\n%s\n-----END SIGNATURE-----\n' "$(base64 -w 0 signature)" ;;
esac
