mock_provider "google" {}

variables {
  project_id = "my-project"
}

run "services_stay_on_when_the_stack_goes" {
  assert {
    condition     = alltrue([for service in google_project_service.used : service.disable_on_destroy == false])
    error_message = "destroying the stack would switch services off that others use"
  }
  assert {
    condition     = contains(keys(google_project_service.used), "run.googleapis.com")
    error_message = "Cloud Run is not switched on"
  }
  assert {
    condition     = length(setsubtract(["cloudkms.googleapis.com", "cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com"], keys(google_project_service.used))) == 0
    error_message = "the project can't be looked at, or have keys of its own"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    services = ["run"]
  }
  expect_failures = [var.services]
}
