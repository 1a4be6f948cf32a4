"""Programs that load the switch as terminals would and check its books; never timed tests."""
