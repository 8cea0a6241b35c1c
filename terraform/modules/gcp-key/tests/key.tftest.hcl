mock_provider "google" {}

variables {
  project_number = "123456789012"
  key            = { id = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k" }
}

run "agents_may_use_the_key_and_nothing_else" {
  assert {
    condition     = alltrue([for member in google_kms_crypto_key_iam_member.agents : member.role == "roles/cloudkms.cryptoKeyEncrypterDecrypter" && member.crypto_key_id == var.key.id])
    error_message = "an agent may do more with the key than use it"
  }
  assert {
    condition     = alltrue([for member in google_kms_crypto_key_iam_member.agents : can(regex("^serviceAccount:service-123456789012@[a-z-]+[.]iam[.]gserviceaccount[.]com$", member.member))])
    error_message = "somebody else than an agent of this project may use the key"
  }
  assert {
    condition     = length(google_kms_crypto_key_iam_member.agents) == 5
    error_message = "a service that keeps data can't use the key"
  }
}

run "without_a_key_nobody_is_let_in" {
  variables { key = null }
  assert {
    condition     = length(google_kms_crypto_key_iam_member.agents) == 0
    error_message = "somebody is let into a key that there is not"
  }
}

run "mistakes_are_refused" {
  command = plan
  variables {
    key = { id = "k" }
  }
  expect_failures = [var.key]
}
