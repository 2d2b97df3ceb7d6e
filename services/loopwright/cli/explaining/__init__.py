"""`loopwright explain`: a decision's funnel stage by stage, and its proof link by link."""
