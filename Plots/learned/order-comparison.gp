# Orders of generation compared: steps, and the entropy increase from sequential to parallel generation (darker is larger).
#
# token-entropy 0.1.0
# command: appendix-figures --tokens learned --output-dir Plots/learned --figure-format png
# input: learned-24x24.h5, hash xxh64:65c90d0c40dd5097
#
# Draw it in this folder:    gnuplot order-comparison.gp
# as png, svg or pdf:        gnuplot -e "format='pdf'" order-comparison.gp

if (!exists("format")) format = 'png'
if (!exists("output")) output = 'order-comparison.'.format
data = 'order-comparison.dat'
width = 1224.; height = 896.  # of the page, in points
scale = 2  # pixels per point in png
has(terminal) = strstrt(' '.GPVAL_TERMINALS.' ', ' '.terminal.' ') > 0

if (format eq 'png' && has('pngcairo')) {
  set terminal pngcairo noenhanced size scale*width,scale*height font "sans-serif,13.75" \
    fontscale 0.75*scale linewidth scale pointscale 0.75*scale background '#ffffff'
} else { if (format eq 'png' && has('png')) {
  set terminal png noenhanced truecolor size scale*width,scale*height font "sans-serif,13.75" \
    fontscale 0.75*scale linewidth scale background '#ffffff'
} else { if (format eq 'svg' && has('svg')) {
  set terminal svg noenhanced size width,height fixed font "sans-serif,13.75" background '#ffffff'
} else { if (format eq 'pdf' && has('pdfcairo')) {
  set terminal pdfcairo noenhanced size width/72,height/72 font "sans-serif,13.75" \
    fontscale 0.75 linewidth 1.6 pointscale 0.85 dashlength 1.6 background '#ffffff'
} else {
  exit error 'this gnuplot cannot draw '.format.'; choose png, svg or pdf'
} } } }
set encoding utf8
set output output

X(points) = points / width  # from the left edge
Y(points) = 1 - points / height  # from the top edge

place(frame, column) = frame * 25 + column
gamma = 1.0  # of the colours; 1 is linear, less shows small increases more
largest = 1.5275  # the dark end of the colours, shared by all increase panels
unset key
set multiplot
set label 1 'Numbers: generation steps; equal numbers are generated together. Entropy increase: conditional entropy in parallel minus sequential generation, darker is larger. Tokens' at screen X(35.75),screen Y(847) left font ",11.69" textcolor rgb '#404040'
set label 2 'generated one by one at the start: yellow in the steps, white in the increase. Estimates below 0 take the colour of 0. Data: learned-24x24.h5; m = 10,000 images, d = 8 feature' at screen X(35.75),screen Y(864.19) left font ",11.69" textcolor rgb '#404040'
set label 3 'dimensions; bound: debiased.' at screen X(35.75),screen Y(881.38) left font ",11.69" textcolor rgb '#404040'
set label 4 'distant' at screen X(35.75),screen Y(16.5) left font ",17.19"
set label 5 '147 steps; total increase 0.837 ± 0.032 nats, largest of a token 0.0314 nats' at screen X(124.44),screen Y(16.5) left textcolor rgb '#404040'
set label 6 'raster' at screen X(35.75),screen Y(429) left font ",17.19"
set label 7 '147 steps; total increase 290.08 ± 0.92 nats, largest of a token 1.53 nats' at screen X(114.13),screen Y(429) left textcolor rgb '#404040'

# distant
unset colorbox
set palette defined ((0./1)**(1./gamma) '#f4f8fd', (1./1)**(1./gamma) '#a1c4e6')
set lmargin at screen X(35.75); set rmargin at screen X(365.75)
set tmargin at screen Y(60.5); set bmargin at screen Y(390.5)
set title '(a) parallel steps' offset 0,-0.6
set xrange [-0.5:24.-0.5]; set yrange [24.-0.5:-0.5]
unset border
set xtics out nomirror scale 0.3 offset 0,0.5 font ",11" ('0' 0, '4' 4, '8' 8, '12' 12, '16' 16, '20' 20) textcolor rgb '#707070'
set ytics out nomirror scale 0.3 offset 0.6,0 font ",11" (0, 4, 8, 12, 16, 20) textcolor rgb '#707070'
unset object; unset arrow
set object 1 rectangle from 0-0.5,-0.5 to 24-0.5,24-0.5 front fillstyle empty border lc rgb '#404040' lw 0.6
set for [i=1:23] arrow i from i-0.5,graph 0 to i-0.5,graph 1 nohead front lc rgb '#b8b8b8' lw 0.5
set for [i=1:23] arrow 24+i from graph 0,first i-0.5 to graph 1,first i-0.5 nohead front lc rgb '#b8b8b8' lw 0.5
set cbrange [1:147]
plot data index 0 using (valid(4)?place($1,$3):NaN):2:(0.5):(0.5):4 with boxxyerror fillstyle solid noborder lc palette notitle, \
  data index 0 using ($5<=4?place($1,$3):NaN):2:(0.5):(0.5) with boxxyerror fillstyle solid noborder lc rgb '#fbe3b0' notitle, \
  data index 0 using (place($1,$3)):2:(sprintf('%d',$4)) with labels center font ",6.02" textcolor rgb '#000000' notitle
unset label
set lmargin at screen X(407); set rmargin at screen X(737)
set tmargin at screen Y(60.5); set bmargin at screen Y(390.5)
set title '(b) sequential steps' offset 0,-0.6
set xrange [-0.5:24.-0.5]; set yrange [24.-0.5:-0.5]
unset border
set xtics out nomirror scale 0.3 offset 0,0.5 font ",11" ('0' 0, '4' 4, '8' 8, '12' 12, '16' 16, '20' 20) textcolor rgb '#707070'
set ytics out nomirror scale 0.3 offset 0.6,0 font ",11" (0, 4, 8, 12, 16, 20) textcolor rgb '#707070'
unset object; unset arrow
set object 1 rectangle from 0-0.5,-0.5 to 24-0.5,24-0.5 front fillstyle empty border lc rgb '#404040' lw 0.6
set for [i=1:23] arrow i from i-0.5,graph 0 to i-0.5,graph 1 nohead front lc rgb '#b8b8b8' lw 0.5
set for [i=1:23] arrow 24+i from graph 0,first i-0.5 to graph 1,first i-0.5 nohead front lc rgb '#b8b8b8' lw 0.5
set cbrange [1:576]
plot data index 0 using (valid(5)?place($1,$3):NaN):2:(0.5):(0.5):5 with boxxyerror fillstyle solid noborder lc palette notitle, \
  data index 0 using ($5<=4?place($1,$3):NaN):2:(0.5):(0.5) with boxxyerror fillstyle solid noborder lc rgb '#fbe3b0' notitle, \
  data index 0 using (place($1,$3)):2:(sprintf('%d',$5)) with labels center font ",6.02" textcolor rgb '#000000' notitle
set lmargin at screen X(778.25); set rmargin at screen X(1108.25)
set tmargin at screen Y(60.5); set bmargin at screen Y(390.5)
set title '(c) entropy increase' offset 0,-0.6
set xrange [-0.5:24.-0.5]; set yrange [24.-0.5:-0.5]
unset border
set xtics out nomirror scale 0.3 offset 0,0.5 font ",11" ('0' 0, '4' 4, '8' 8, '12' 12, '16' 16, '20' 20) textcolor rgb '#707070'
set ytics out nomirror scale 0.3 offset 0.6,0 font ",11" (0, 4, 8, 12, 16, 20) textcolor rgb '#707070'
unset object; unset arrow
set object 1 rectangle from 0-0.5,-0.5 to 24-0.5,24-0.5 front fillstyle empty border lc rgb '#404040' lw 0.6
set for [i=1:23] arrow i from i-0.5,graph 0 to i-0.5,graph 1 nohead front lc rgb '#ffffff' lw 0.5
set for [i=1:23] arrow 24+i from graph 0,first i-0.5 to graph 1,first i-0.5 nohead front lc rgb '#ffffff' lw 0.5
set colorbox vertical user origin screen X(1130.25), screen Y(591.75) size screen 16.5/width, screen 320/height
set cbtics scale 0.4 offset -0.6,0 font ",12.38"
set format cb '%g'
set cblabel 'entropy increase [nats per token]'
set palette defined ((0./7)**(1./gamma) '#fde8df', (1./7)**(1./gamma) '#fbcbb8', (2./7)**(1./gamma) '#f8a68e', (3./7)**(1./gamma) '#ee7c65', (4./7)**(1./gamma) '#da4f42', (5./7)**(1./gamma) '#b8262a', (6./7)**(1./gamma) '#8b0d1c', (7./7)**(1./gamma) '#580310')
set cbrange [0.0:largest]
plot data index 0 using (valid(6)?place($1,$3):NaN):2:(0.5):(0.5):6 with boxxyerror fillstyle solid noborder lc palette notitle, \
  data index 0 using ($5<=4?place($1,$3):NaN):2:(0.5):(0.5) with boxxyerror fillstyle solid noborder lc rgb '#ffffff' notitle

# raster
unset colorbox
set palette defined ((0./1)**(1./gamma) '#f4f8fd', (1./1)**(1./gamma) '#a1c4e6')
set lmargin at screen X(35.75); set rmargin at screen X(365.75)
set tmargin at screen Y(473); set bmargin at screen Y(803)
set title '(d) parallel steps' offset 0,-0.6
set xrange [-0.5:24.-0.5]; set yrange [24.-0.5:-0.5]
unset border
set xtics out nomirror scale 0.3 offset 0,0.5 font ",11" ('0' 0, '4' 4, '8' 8, '12' 12, '16' 16, '20' 20) textcolor rgb '#707070'
set ytics out nomirror scale 0.3 offset 0.6,0 font ",11" (0, 4, 8, 12, 16, 20) textcolor rgb '#707070'
unset object; unset arrow
set object 1 rectangle from 0-0.5,-0.5 to 24-0.5,24-0.5 front fillstyle empty border lc rgb '#404040' lw 0.6
set for [i=1:23] arrow i from i-0.5,graph 0 to i-0.5,graph 1 nohead front lc rgb '#b8b8b8' lw 0.5
set for [i=1:23] arrow 24+i from graph 0,first i-0.5 to graph 1,first i-0.5 nohead front lc rgb '#b8b8b8' lw 0.5
set cbrange [1:147]
plot data index 1 using (valid(4)?place($1,$3):NaN):2:(0.5):(0.5):4 with boxxyerror fillstyle solid noborder lc palette notitle, \
  data index 1 using ($5<=4?place($1,$3):NaN):2:(0.5):(0.5) with boxxyerror fillstyle solid noborder lc rgb '#fbe3b0' notitle, \
  data index 1 using (place($1,$3)):2:(sprintf('%d',$4)) with labels center font ",6.02" textcolor rgb '#000000' notitle
set lmargin at screen X(407); set rmargin at screen X(737)
set tmargin at screen Y(473); set bmargin at screen Y(803)
set title '(e) sequential steps' offset 0,-0.6
set xrange [-0.5:24.-0.5]; set yrange [24.-0.5:-0.5]
unset border
set xtics out nomirror scale 0.3 offset 0,0.5 font ",11" ('0' 0, '4' 4, '8' 8, '12' 12, '16' 16, '20' 20) textcolor rgb '#707070'
set ytics out nomirror scale 0.3 offset 0.6,0 font ",11" (0, 4, 8, 12, 16, 20) textcolor rgb '#707070'
unset object; unset arrow
set object 1 rectangle from 0-0.5,-0.5 to 24-0.5,24-0.5 front fillstyle empty border lc rgb '#404040' lw 0.6
set for [i=1:23] arrow i from i-0.5,graph 0 to i-0.5,graph 1 nohead front lc rgb '#b8b8b8' lw 0.5
set for [i=1:23] arrow 24+i from graph 0,first i-0.5 to graph 1,first i-0.5 nohead front lc rgb '#b8b8b8' lw 0.5
set cbrange [1:576]
plot data index 1 using (valid(5)?place($1,$3):NaN):2:(0.5):(0.5):5 with boxxyerror fillstyle solid noborder lc palette notitle, \
  data index 1 using ($5<=4?place($1,$3):NaN):2:(0.5):(0.5) with boxxyerror fillstyle solid noborder lc rgb '#fbe3b0' notitle, \
  data index 1 using (place($1,$3)):2:(sprintf('%d',$5)) with labels center font ",6.02" textcolor rgb '#000000' notitle
set lmargin at screen X(778.25); set rmargin at screen X(1108.25)
set tmargin at screen Y(473); set bmargin at screen Y(803)
set title '(f) entropy increase' offset 0,-0.6
set xrange [-0.5:24.-0.5]; set yrange [24.-0.5:-0.5]
unset border
set xtics out nomirror scale 0.3 offset 0,0.5 font ",11" ('0' 0, '4' 4, '8' 8, '12' 12, '16' 16, '20' 20) textcolor rgb '#707070'
set ytics out nomirror scale 0.3 offset 0.6,0 font ",11" (0, 4, 8, 12, 16, 20) textcolor rgb '#707070'
unset object; unset arrow
set object 1 rectangle from 0-0.5,-0.5 to 24-0.5,24-0.5 front fillstyle empty border lc rgb '#404040' lw 0.6
set for [i=1:23] arrow i from i-0.5,graph 0 to i-0.5,graph 1 nohead front lc rgb '#ffffff' lw 0.5
set for [i=1:23] arrow 24+i from graph 0,first i-0.5 to graph 1,first i-0.5 nohead front lc rgb '#ffffff' lw 0.5
set palette defined ((0./7)**(1./gamma) '#fde8df', (1./7)**(1./gamma) '#fbcbb8', (2./7)**(1./gamma) '#f8a68e', (3./7)**(1./gamma) '#ee7c65', (4./7)**(1./gamma) '#da4f42', (5./7)**(1./gamma) '#b8262a', (6./7)**(1./gamma) '#8b0d1c', (7./7)**(1./gamma) '#580310')
set cbrange [0.0:largest]
plot data index 1 using (valid(6)?place($1,$3):NaN):2:(0.5):(0.5):6 with boxxyerror fillstyle solid noborder lc palette notitle, \
  data index 1 using ($5<=4?place($1,$3):NaN):2:(0.5):(0.5) with boxxyerror fillstyle solid noborder lc rgb '#ffffff' notitle

unset multiplot
unset output
