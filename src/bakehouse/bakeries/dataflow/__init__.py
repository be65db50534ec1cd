"""Jobs on Google Cloud Dataflow: their options, what is shipped to their workers, how they are followed, their cost."""
