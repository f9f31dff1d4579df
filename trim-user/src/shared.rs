//! What the data path and the control wing share: counters, histograms, the policy cell.
