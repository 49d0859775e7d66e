# SPDX-License-Identifier: ISC
"""emsgpy - an implementation of EMSG that shares nothing with the rest of this tree.

It was written from doc/protocol.md alone, on Debian's cbor2, websockets (sans-I/O), cryptography
and pyOpenSSL, and reads the CDDL rules and reply codes out of that document when it is
loaded. What the document gets wrong, this package gets wrong; that is its purpose.
"""
