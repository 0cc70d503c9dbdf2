# Maps for reference tokens (blue). Mutual information: darker is more, that is, stronger dependence.
#
# token-entropy 0.1.0
# command: appendix-figures --tokens learned --output-dir Plots/learned --figure-format png
# input: learned-24x24.h5, hash xxh64:65c90d0c40dd5097
#
# Draw it in this folder:    gnuplot information-maps.gp
# as png, svg or pdf:        gnuplot -e "format='pdf'" information-maps.gp

if (!exists("format")) format = 'png'
if (!exists("output")) output = 'information-maps.'.format
data = 'information-maps.dat'
width = 791.; height = 232.  # of the page, in points
scale = 2  # pixels per point in png
has(terminal) = strstrt(' '.GPVAL_TERMINALS.' ', ' '.terminal.' ') > 0

if (format eq 'png' && has('pngcairo')) {
  set terminal pngcairo noenhanced size scale*width,scale*height font "sans-serif,12" \
    fontscale 0.75*scale linewidth scale pointscale 0.75*scale background '#ffffff'
} else { if (format eq 'png' && has('png')) {
  set terminal png noenhanced truecolor size scale*width,scale*height font "sans-serif,12" \
    fontscale 0.75*scale linewidth scale background '#ffffff'
} else { if (format eq 'svg' && has('svg')) {
  set terminal svg noenhanced size width,height fixed font "sans-serif,12" background '#ffffff'
} else { if (format eq 'pdf' && has('pdfcairo')) {
  set terminal pdfcairo noenhanced size width/72,height/72 font "sans-serif,12" \
    fontscale 0.75 linewidth 1.6 pointscale 0.85 dashlength 1.6 background '#ffffff'
} else {
  exit error 'this gnuplot cannot draw '.format.'; choose png, svg or pdf'
} } } }
set encoding utf8
set output output

X(points) = points / width  # from the left edge
Y(points) = 1 - points / height  # from the top edge

place(frame, column) = frame * 25 + column
unset key
set multiplot
set label 1 'I(v_i; v_j): darker is stronger dependence on the reference token (blue). Data: learned-24x24.h5; m = 10,000 images, d = 8' at screen X(28.8),screen Y(204.8) left font ",10.2" textcolor rgb '#404040'
set label 2 'feature dimensions; bound: debiased.' at screen X(28.8),screen Y(219.8) left font ",10.2" textcolor rgb '#404040'

gamma = 0.5  # of the colours; 1 is linear, less shows faint values more
set palette defined ((0./7)**(1./gamma) '#fde8df', (1./7)**(1./gamma) '#fbcbb8', (2./7)**(1./gamma) '#f8a68e', (3./7)**(1./gamma) '#ee7c65', (4./7)**(1./gamma) '#da4f42', (5./7)**(1./gamma) '#b8262a', (6./7)**(1./gamma) '#8b0d1c', (7./7)**(1./gamma) '#580310')
set cbrange [0.013442:2.0161]  # shared by all panels of mutual information
set colorbox vertical user origin screen X(708.8), screen Y(166.4) size screen 14.4/width, screen 140/height
set cbtics scale 0.4 offset -0.6,0 font ",10.8"
set format cb '%g'
set cblabel 'mutual information [nats]'

# mutual information, reference (12, 12)
set lmargin at screen X(28.8); set rmargin at screen X(168.8)
set tmargin at screen Y(26.4); set bmargin at screen Y(166.4)
set title 'reference (12, 12)' offset 0,-0.6
set xrange [-0.5:24.-0.5]; set yrange [24.-0.5:-0.5]
unset border
set xtics out nomirror scale 0.3 offset 0,0.5 font ",9.6" ('0' 0, '4' 4, '8' 8, '12' 12, '16' 16, '20' 20) textcolor rgb '#707070'
set ytics out nomirror scale 0.3 offset 0.6,0 font ",9.6" (0, 4, 8, 12, 16, 20) textcolor rgb '#707070'
unset object; unset arrow
set object 1 rectangle from 0-0.5,-0.5 to 24-0.5,24-0.5 front fillstyle empty border lc rgb '#404040' lw 0.6
set for [i=1:23] arrow i from i-0.5,graph 0 to i-0.5,graph 1 nohead front lc rgb '#ffffff' lw 0.36
set for [i=1:23] arrow 24+i from graph 0,first i-0.5 to graph 1,first i-0.5 nohead front lc rgb '#ffffff' lw 0.36
set object 2 rectangle from 12-0.5,12-0.5 to 12+0.5,12+0.5 front fillcolor rgb '#1f5fbf' fillstyle solid border lc rgb '#ffffff' lw 1
plot data index 0 using (valid(4)?place($1,$3):NaN):2:(0.5):(0.5):4 with boxxyerror fillstyle solid noborder lc palette notitle
unset label
unset colorbox

# mutual information, reference (4, 6)
set lmargin at screen X(202.4); set rmargin at screen X(342.4)
set tmargin at screen Y(26.4); set bmargin at screen Y(166.4)
set title 'reference (4, 6)' offset 0,-0.6
set xrange [-0.5:24.-0.5]; set yrange [24.-0.5:-0.5]
unset border
set xtics out nomirror scale 0.3 offset 0,0.5 font ",9.6" ('0' 0, '4' 4, '8' 8, '12' 12, '16' 16, '20' 20) textcolor rgb '#707070'
set ytics out nomirror scale 0.3 offset 0.6,0 font ",9.6" (0, 4, 8, 12, 16, 20) textcolor rgb '#707070'
unset object; unset arrow
set object 1 rectangle from 0-0.5,-0.5 to 24-0.5,24-0.5 front fillstyle empty border lc rgb '#404040' lw 0.6
set for [i=1:23] arrow i from i-0.5,graph 0 to i-0.5,graph 1 nohead front lc rgb '#ffffff' lw 0.36
set for [i=1:23] arrow 24+i from graph 0,first i-0.5 to graph 1,first i-0.5 nohead front lc rgb '#ffffff' lw 0.36
set object 2 rectangle from 6-0.5,4-0.5 to 6+0.5,4+0.5 front fillcolor rgb '#1f5fbf' fillstyle solid border lc rgb '#ffffff' lw 1
plot data index 1 using (valid(4)?place($1,$3):NaN):2:(0.5):(0.5):4 with boxxyerror fillstyle solid noborder lc palette notitle

# mutual information, reference (8, 20)
set lmargin at screen X(376); set rmargin at screen X(516)
set tmargin at screen Y(26.4); set bmargin at screen Y(166.4)
set title 'reference (8, 20)' offset 0,-0.6
set xrange [-0.5:24.-0.5]; set yrange [24.-0.5:-0.5]
unset border
set xtics out nomirror scale 0.3 offset 0,0.5 font ",9.6" ('0' 0, '4' 4, '8' 8, '12' 12, '16' 16, '20' 20) textcolor rgb '#707070'
set ytics out nomirror scale 0.3 offset 0.6,0 font ",9.6" (0, 4, 8, 12, 16, 20) textcolor rgb '#707070'
unset object; unset arrow
set object 1 rectangle from 0-0.5,-0.5 to 24-0.5,24-0.5 front fillstyle empty border lc rgb '#404040' lw 0.6
set for [i=1:23] arrow i from i-0.5,graph 0 to i-0.5,graph 1 nohead front lc rgb '#ffffff' lw 0.36
set for [i=1:23] arrow 24+i from graph 0,first i-0.5 to graph 1,first i-0.5 nohead front lc rgb '#ffffff' lw 0.36
set object 2 rectangle from 20-0.5,8-0.5 to 20+0.5,8+0.5 front fillcolor rgb '#1f5fbf' fillstyle solid border lc rgb '#ffffff' lw 1
plot data index 2 using (valid(4)?place($1,$3):NaN):2:(0.5):(0.5):4 with boxxyerror fillstyle solid noborder lc palette notitle

# mutual information, reference (20, 8)
set lmargin at screen X(549.6); set rmargin at screen X(689.6)
set tmargin at screen Y(26.4); set bmargin at screen Y(166.4)
set title 'reference (20, 8)' offset 0,-0.6
set xrange [-0.5:24.-0.5]; set yrange [24.-0.5:-0.5]
unset border
set xtics out nomirror scale 0.3 offset 0,0.5 font ",9.6" ('0' 0, '4' 4, '8' 8, '12' 12, '16' 16, '20' 20) textcolor rgb '#707070'
set ytics out nomirror scale 0.3 offset 0.6,0 font ",9.6" (0, 4, 8, 12, 16, 20) textcolor rgb '#707070'
unset object; unset arrow
set object 1 rectangle from 0-0.5,-0.5 to 24-0.5,24-0.5 front fillstyle empty border lc rgb '#404040' lw 0.6
set for [i=1:23] arrow i from i-0.5,graph 0 to i-0.5,graph 1 nohead front lc rgb '#ffffff' lw 0.36
set for [i=1:23] arrow 24+i from graph 0,first i-0.5 to graph 1,first i-0.5 nohead front lc rgb '#ffffff' lw 0.36
set object 2 rectangle from 8-0.5,20-0.5 to 8+0.5,20+0.5 front fillcolor rgb '#1f5fbf' fillstyle solid border lc rgb '#ffffff' lw 1
plot data index 3 using (valid(4)?place($1,$3):NaN):2:(0.5):(0.5):4 with boxxyerror fillstyle solid noborder lc palette notitle

unset multiplot
unset output
