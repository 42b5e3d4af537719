# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

variable "region" {
  type        = string
  description = "Region of the cluster. Zones and images belong to it."
  default     = "eu-central-1"
}

variable "general_min" {
  type        = number
  description = "Machines of node group general, minimum."
  default     = 600
}

variable "general_max" {
  type        = number
  description = "Machines of node group general, maximum."
  default     = 800
}

variable "memory_min" {
  type        = number
  description = "Machines of node group memory, minimum."
  default     = 100
}

variable "memory_max" {
  type        = number
  description = "Machines of node group memory, maximum."
  default     = 150
}

variable "arm_min" {
  type        = number
  description = "Machines of node group arm, minimum."
  default     = 10
}

variable "arm_max" {
  type        = number
  description = "Machines of node group arm, maximum."
  default     = 40
}

variable "training_min" {
  type        = number
  description = "Machines of node group training, minimum."
  default     = 0
}

variable "training_max" {
  type        = number
  description = "Machines of node group training, maximum."
  default     = 10
}
