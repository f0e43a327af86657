from __future__ import absolute_import
x = 1
