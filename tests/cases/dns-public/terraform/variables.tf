# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

variable "region" {
  type        = string
  description = "Region of the cluster. Zones and images belong to it."
  default     = "eu-central-1"
}

variable "general_min" {
  type        = number
  description = "Machines of node group general, minimum."
  default     = 3
}

variable "general_max" {
  type        = number
  description = "Machines of node group general, maximum."
  default     = 10
}
