# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: a gateway, a scripted provider, sockets with every byte in hand."""
