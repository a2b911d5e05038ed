"""GODIVA: text to video by autoregression over frame tokens with sparse attention (Wu et al. 2021, arXiv 2104.14806)."""
