"""The surrogates: from mixtures and scores to a mean and an interval, one file per method."""
