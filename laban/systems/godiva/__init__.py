"""GODIVA: text to video, token by token, with sparse attention (Wu et al. 2021, arXiv 2104.14806)."""
