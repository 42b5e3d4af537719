# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

resource "aws_autoscaling_group" "arm" {
  name     = "large-arm-f8e7cdf3"
  min_size = var.arm_min
  max_size = var.arm_max
  vpc_zone_identifier = [
    aws_subnet.nodes-eu-central-1a.id,
    aws_subnet.nodes-eu-central-1b.id,
    aws_subnet.nodes-eu-central-1c.id,
  ]
  capacity_rebalance        = false
  force_delete              = true
  wait_for_capacity_timeout = "0"

  mixed_instances_policy {
    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.arm.id
        version            = "$Latest"
      }

      override {
        instance_type = "m6g.xlarge"
      }

      override {
        instance_type = "m7g.xlarge"
      }

      override {
        instance_type = "m8g.xlarge"
      }

      override {
        instance_type = "m6gd.xlarge"
      }

      override {
        instance_type = "r6g.xlarge"
      }

      override {
        instance_type = "m7gd.xlarge"
      }
    }

    instances_distribution {
      on_demand_base_capacity                  = 0
      on_demand_percentage_above_base_capacity = 100
      on_demand_allocation_strategy            = "prioritized"
      spot_allocation_strategy                 = "price-capacity-optimized"
    }
  }

  tag {
    key                 = "Name"
    value               = "large-arm"
    propagate_at_launch = false
  }

  tag {
    key                 = "clusterctl.dev/address"
    value               = "aws_autoscaling_group.arm"
    propagate_at_launch = false
  }

  tag {
    key                 = "clusterctl.dev/cluster"
    value               = "large"
    propagate_at_launch = false
  }

  tag {
    key                 = "clusterctl.dev/uid"
    value               = "00112233445566778899aabbccddeeff"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/enabled"
    value               = "true"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/large"
    value               = "owned"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/node-template/label/clusterctl.dev/node-group"
    value               = "arm"
    propagate_at_launch = false
  }
}

resource "aws_autoscaling_group" "general" {
  name     = "large-general-e5873055"
  min_size = var.general_min
  max_size = var.general_max
  vpc_zone_identifier = [
    aws_subnet.nodes-eu-central-1a.id,
    aws_subnet.nodes-eu-central-1b.id,
    aws_subnet.nodes-eu-central-1c.id,
  ]
  capacity_rebalance        = false
  force_delete              = true
  wait_for_capacity_timeout = "0"

  mixed_instances_policy {
    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.general.id
        version            = "$Latest"
      }

      override {
        instance_type = "m5a.2xlarge"
      }

      override {
        instance_type = "m6a.2xlarge"
      }

      override {
        instance_type = "m7i.2xlarge"
      }

      override {
        instance_type = "m5ad.2xlarge"
      }

      override {
        instance_type = "m8i.2xlarge"
      }

      override {
        instance_type = "m5d.2xlarge"
      }
    }

    instances_distribution {
      on_demand_base_capacity                  = 0
      on_demand_percentage_above_base_capacity = 100
      on_demand_allocation_strategy            = "prioritized"
      spot_allocation_strategy                 = "price-capacity-optimized"
    }
  }

  tag {
    key                 = "Name"
    value               = "large-general"
    propagate_at_launch = false
  }

  tag {
    key                 = "clusterctl.dev/address"
    value               = "aws_autoscaling_group.general"
    propagate_at_launch = false
  }

  tag {
    key                 = "clusterctl.dev/cluster"
    value               = "large"
    propagate_at_launch = false
  }

  tag {
    key                 = "clusterctl.dev/uid"
    value               = "00112233445566778899aabbccddeeff"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/enabled"
    value               = "true"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/large"
    value               = "owned"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/node-template/label/clusterctl.dev/node-group"
    value               = "general"
    propagate_at_launch = false
  }
}

resource "aws_autoscaling_group" "memory" {
  name     = "large-memory-0b50a582"
  min_size = var.memory_min
  max_size = var.memory_max
  vpc_zone_identifier = [
    aws_subnet.nodes-eu-central-1a.id,
    aws_subnet.nodes-eu-central-1b.id,
    aws_subnet.nodes-eu-central-1c.id,
  ]
  capacity_rebalance        = false
  force_delete              = true
  wait_for_capacity_timeout = "0"

  mixed_instances_policy {
    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.memory.id
        version            = "$Latest"
      }

      override {
        instance_type = "r5a.2xlarge"
      }

      override {
        instance_type = "r6a.2xlarge"
      }

      override {
        instance_type = "r5ad.2xlarge"
      }

      override {
        instance_type = "r7i.2xlarge"
      }

      override {
        instance_type = "r8i.2xlarge"
      }

      override {
        instance_type = "r5d.2xlarge"
      }
    }

    instances_distribution {
      on_demand_base_capacity                  = 0
      on_demand_percentage_above_base_capacity = 100
      on_demand_allocation_strategy            = "prioritized"
      spot_allocation_strategy                 = "price-capacity-optimized"
    }
  }

  tag {
    key                 = "Name"
    value               = "large-memory"
    propagate_at_launch = false
  }

  tag {
    key                 = "clusterctl.dev/address"
    value               = "aws_autoscaling_group.memory"
    propagate_at_launch = false
  }

  tag {
    key                 = "clusterctl.dev/cluster"
    value               = "large"
    propagate_at_launch = false
  }

  tag {
    key                 = "clusterctl.dev/uid"
    value               = "00112233445566778899aabbccddeeff"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/enabled"
    value               = "true"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/large"
    value               = "owned"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/node-template/label/clusterctl.dev/node-group"
    value               = "memory"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/node-template/label/pool"
    value               = "memory"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/node-template/taint/pool"
    value               = "memory:NoSchedule"
    propagate_at_launch = false
  }
}

resource "aws_autoscaling_group" "training" {
  name                      = "large-training-593b406f"
  min_size                  = var.training_min
  max_size                  = var.training_max
  vpc_zone_identifier       = [aws_subnet.nodes-eu-central-1a.id]
  capacity_rebalance        = false
  force_delete              = true
  wait_for_capacity_timeout = "0"

  mixed_instances_policy {
    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.training.id
        version            = "$Latest"
      }

      override {
        instance_type = "p4de.24xlarge"
      }
    }

    instances_distribution {
      on_demand_base_capacity                  = 0
      on_demand_percentage_above_base_capacity = 100
      on_demand_allocation_strategy            = "prioritized"
      spot_allocation_strategy                 = "price-capacity-optimized"
    }
  }

  tag {
    key                 = "Name"
    value               = "large-training"
    propagate_at_launch = false
  }

  tag {
    key                 = "clusterctl.dev/address"
    value               = "aws_autoscaling_group.training"
    propagate_at_launch = false
  }

  tag {
    key                 = "clusterctl.dev/cluster"
    value               = "large"
    propagate_at_launch = false
  }

  tag {
    key                 = "clusterctl.dev/uid"
    value               = "00112233445566778899aabbccddeeff"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/enabled"
    value               = "true"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/large"
    value               = "owned"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/node-template/label/clusterctl.dev/node-group"
    value               = "training"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/node-template/resources/nvidia.com/gpu"
    value               = "8"
    propagate_at_launch = false
  }

  tag {
    key                 = "k8s.io/cluster-autoscaler/node-template/taint/nvidia.com/gpu"
    value               = "present:NoSchedule"
    propagate_at_launch = false
  }
}

resource "aws_launch_template" "arm" {
  name                   = "large-arm-d0d43a7d"
  image_id               = data.aws_ami.ubuntu-arm64.id
  instance_type          = "m6g.xlarge"
  user_data              = base64gzip(replace(file("${path.module}/files/arm.sh"), "@{1}", aws_lb.api.dns_name))
  update_default_version = true
  tags = {
    Name                     = "large-arm"
    "clusterctl.dev/address" = "aws_launch_template.arm"
    "clusterctl.dev/cluster" = "large"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }

  iam_instance_profile {
    name = aws_iam_instance_profile.worker.name
  }

  network_interfaces {
    device_index                = 0
    associate_public_ip_address = "false"
    delete_on_termination       = "true"
    security_groups             = [aws_security_group.node.id]
  }

  block_device_mappings {
    device_name = "/dev/sda1"

    ebs {
      volume_size           = 20
      volume_type           = "gp3"
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }

  block_device_mappings {
    device_name = "/dev/sdb"

    ebs {
      volume_size           = 100
      volume_type           = "gp3"
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  tag_specifications {
    resource_type = "instance"
    tags = {
      Name                          = "large-arm"
      "clusterctl.dev/address"      = "aws_autoscaling_group.arm"
      "clusterctl.dev/cluster"      = "large"
      "clusterctl.dev/uid"          = "00112233445566778899aabbccddeeff"
      "kubernetes.io/cluster/large" = "owned"
    }
  }

  tag_specifications {
    resource_type = "network-interface"
    tags = {
      Name                          = "large-arm"
      "clusterctl.dev/address"      = "aws_autoscaling_group.arm"
      "clusterctl.dev/cluster"      = "large"
      "clusterctl.dev/uid"          = "00112233445566778899aabbccddeeff"
      "kubernetes.io/cluster/large" = "owned"
    }
  }

  tag_specifications {
    resource_type = "volume"
    tags = {
      Name                          = "large-arm"
      "clusterctl.dev/address"      = "aws_autoscaling_group.arm"
      "clusterctl.dev/cluster"      = "large"
      "clusterctl.dev/uid"          = "00112233445566778899aabbccddeeff"
      "kubernetes.io/cluster/large" = "owned"
    }
  }
}

resource "aws_launch_template" "general" {
  name                   = "large-general-103ab686"
  image_id               = data.aws_ami.ubuntu-amd64.id
  instance_type          = "m5a.2xlarge"
  user_data              = base64gzip(replace(file("${path.module}/files/general.sh"), "@{1}", aws_lb.api.dns_name))
  update_default_version = true
  tags = {
    Name                     = "large-general"
    "clusterctl.dev/address" = "aws_launch_template.general"
    "clusterctl.dev/cluster" = "large"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }

  iam_instance_profile {
    name = aws_iam_instance_profile.worker.name
  }

  network_interfaces {
    device_index                = 0
    associate_public_ip_address = "false"
    delete_on_termination       = "true"
    security_groups             = [aws_security_group.node.id]
  }

  block_device_mappings {
    device_name = "/dev/sda1"

    ebs {
      volume_size           = 20
      volume_type           = "gp3"
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }

  block_device_mappings {
    device_name = "/dev/sdb"

    ebs {
      volume_size           = 100
      volume_type           = "gp3"
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  tag_specifications {
    resource_type = "instance"
    tags = {
      Name                          = "large-general"
      "clusterctl.dev/address"      = "aws_autoscaling_group.general"
      "clusterctl.dev/cluster"      = "large"
      "clusterctl.dev/uid"          = "00112233445566778899aabbccddeeff"
      "kubernetes.io/cluster/large" = "owned"
    }
  }

  tag_specifications {
    resource_type = "network-interface"
    tags = {
      Name                          = "large-general"
      "clusterctl.dev/address"      = "aws_autoscaling_group.general"
      "clusterctl.dev/cluster"      = "large"
      "clusterctl.dev/uid"          = "00112233445566778899aabbccddeeff"
      "kubernetes.io/cluster/large" = "owned"
    }
  }

  tag_specifications {
    resource_type = "volume"
    tags = {
      Name                          = "large-general"
      "clusterctl.dev/address"      = "aws_autoscaling_group.general"
      "clusterctl.dev/cluster"      = "large"
      "clusterctl.dev/uid"          = "00112233445566778899aabbccddeeff"
      "kubernetes.io/cluster/large" = "owned"
    }
  }
}

resource "aws_launch_template" "memory" {
  name                   = "large-memory-94f4cb63"
  image_id               = data.aws_ami.ubuntu-amd64.id
  instance_type          = "r5a.2xlarge"
  user_data              = base64gzip(replace(file("${path.module}/files/memory.sh"), "@{1}", aws_lb.api.dns_name))
  update_default_version = true
  tags = {
    Name                     = "large-memory"
    "clusterctl.dev/address" = "aws_launch_template.memory"
    "clusterctl.dev/cluster" = "large"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }

  iam_instance_profile {
    name = aws_iam_instance_profile.worker.name
  }

  network_interfaces {
    device_index                = 0
    associate_public_ip_address = "false"
    delete_on_termination       = "true"
    security_groups             = [aws_security_group.node.id]
  }

  block_device_mappings {
    device_name = "/dev/sda1"

    ebs {
      volume_size           = 20
      volume_type           = "gp3"
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }

  block_device_mappings {
    device_name = "/dev/sdb"

    ebs {
      volume_size           = 100
      volume_type           = "gp3"
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  tag_specifications {
    resource_type = "instance"
    tags = {
      Name                          = "large-memory"
      "clusterctl.dev/address"      = "aws_autoscaling_group.memory"
      "clusterctl.dev/cluster"      = "large"
      "clusterctl.dev/uid"          = "00112233445566778899aabbccddeeff"
      "kubernetes.io/cluster/large" = "owned"
    }
  }

  tag_specifications {
    resource_type = "network-interface"
    tags = {
      Name                          = "large-memory"
      "clusterctl.dev/address"      = "aws_autoscaling_group.memory"
      "clusterctl.dev/cluster"      = "large"
      "clusterctl.dev/uid"          = "00112233445566778899aabbccddeeff"
      "kubernetes.io/cluster/large" = "owned"
    }
  }

  tag_specifications {
    resource_type = "volume"
    tags = {
      Name                          = "large-memory"
      "clusterctl.dev/address"      = "aws_autoscaling_group.memory"
      "clusterctl.dev/cluster"      = "large"
      "clusterctl.dev/uid"          = "00112233445566778899aabbccddeeff"
      "kubernetes.io/cluster/large" = "owned"
    }
  }
}

resource "aws_launch_template" "training" {
  name                   = "large-training-68082cc7"
  image_id               = data.aws_ami.ubuntu-amd64.id
  instance_type          = "p4de.24xlarge"
  user_data              = base64gzip(replace(file("${path.module}/files/training.sh"), "@{1}", aws_lb.api.dns_name))
  update_default_version = true
  tags = {
    Name                     = "large-training"
    "clusterctl.dev/address" = "aws_launch_template.training"
    "clusterctl.dev/cluster" = "large"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }

  iam_instance_profile {
    name = aws_iam_instance_profile.worker.name
  }

  network_interfaces {
    device_index                = 0
    associate_public_ip_address = "false"
    delete_on_termination       = "true"
    security_groups             = [aws_security_group.node.id]
  }

  block_device_mappings {
    device_name = "/dev/sda1"

    ebs {
      volume_size           = 20
      volume_type           = "gp3"
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  tag_specifications {
    resource_type = "instance"
    tags = {
      Name                          = "large-training"
      "clusterctl.dev/address"      = "aws_autoscaling_group.training"
      "clusterctl.dev/cluster"      = "large"
      "clusterctl.dev/uid"          = "00112233445566778899aabbccddeeff"
      "kubernetes.io/cluster/large" = "owned"
    }
  }

  tag_specifications {
    resource_type = "network-interface"
    tags = {
      Name                          = "large-training"
      "clusterctl.dev/address"      = "aws_autoscaling_group.training"
      "clusterctl.dev/cluster"      = "large"
      "clusterctl.dev/uid"          = "00112233445566778899aabbccddeeff"
      "kubernetes.io/cluster/large" = "owned"
    }
  }

  tag_specifications {
    resource_type = "volume"
    tags = {
      Name                          = "large-training"
      "clusterctl.dev/address"      = "aws_autoscaling_group.training"
      "clusterctl.dev/cluster"      = "large"
      "clusterctl.dev/uid"          = "00112233445566778899aabbccddeeff"
      "kubernetes.io/cluster/large" = "owned"
    }
  }
}

data "aws_ami" "ubuntu-amd64" {
  most_recent = true
  owners      = ["099720109477"]

  filter {
    name   = "name"
    values = ["ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"]
  }
}

data "aws_ami" "ubuntu-arm64" {
  most_recent = true
  owners      = ["099720109477"]

  filter {
    name   = "name"
    values = ["ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-*"]
  }
}
