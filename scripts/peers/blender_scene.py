"""Run by Blender: a scene to look around in, and no splash screen."""

import math

import bpy

bpy.context.preferences.view.show_splash = False
bpy.context.preferences.view.smooth_view = 0
bpy.ops.object.select_all(action="SELECT")
bpy.ops.object.delete()
bpy.ops.mesh.primitive_monkey_add(size=2.6, location=(0, 0, 1.3))
bpy.ops.object.modifier_add(type="SUBSURF")
bpy.ops.object.shade_smooth()
for i in range(8):
    angle = i * math.pi / 4
    place = (3.4 * math.cos(angle), 3.4 * math.sin(angle), 0.5)
    add = (
        bpy.ops.mesh.primitive_torus_add,
        bpy.ops.mesh.primitive_cone_add,
        bpy.ops.mesh.primitive_cube_add,
    )[i % 3]
    add(location=place)
for i, thing in enumerate(bpy.data.objects):
    material = bpy.data.materials.new(f"material {i}")
    material.diffuse_color = (0.2 + 0.09 * (i % 8), 0.75 - 0.07 * i, 0.3 + 0.2 * (i % 3), 1)
    thing.data.materials.append(material)
for area in bpy.context.screen.areas:
    if area.type == "VIEW_3D":
        area.spaces.active.shading.color_type = "MATERIAL"
        area.spaces.active.shading.show_cavity = True
        area.spaces.active.region_3d.view_distance = 12
