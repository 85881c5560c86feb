# SPDX-License-Identifier: GPL-2.0-or-later
# unit tests of src/core
