"""FACT (Li et al., ICCV 2021): music and two seconds of motion become a dance."""
