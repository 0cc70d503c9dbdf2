# The information lost by drawing in parallel against the number of steps.
#
# token-entropy 0.1.0
# command: order-search --steps 8,12,16,24 --tokens learned-12x12.h5 --seconds 120 --output-dir .
# input: learned-12x12.h5, hash xxh64:7b468ce541d5709a
# seed: 0
#
# Draw it in this folder:    gnuplot loss-against-steps.gp
# as png, svg or pdf:        gnuplot -e "format='pdf'" loss-against-steps.gp

if (!exists("format")) format = 'png'
if (!exists("output")) output = 'loss-against-steps.'.format
data = 'loss-against-steps.dat'
width = 736.; height = 368.  # of the page, in points
scale = 2  # pixels per point in png
has(terminal) = strstrt(' '.GPVAL_TERMINALS.' ', ' '.terminal.' ') > 0

if (format eq 'png' && has('pngcairo')) {
  set terminal pngcairo noenhanced size scale*width,scale*height font "sans-serif,11" \
    fontscale 0.75*scale linewidth scale pointscale 0.75*scale background '#ffffff'
} else { if (format eq 'png' && has('png')) {
  set terminal png noenhanced truecolor size scale*width,scale*height font "sans-serif,11" \
    fontscale 0.75*scale linewidth scale background '#ffffff'
} else { if (format eq 'svg' && has('svg')) {
  set terminal svg noenhanced size width,height fixed font "sans-serif,11" background '#ffffff'
} else { if (format eq 'pdf' && has('pdfcairo')) {
  set terminal pdfcairo noenhanced size width/72,height/72 font "sans-serif,11" \
    fontscale 0.75 linewidth 1.6 pointscale 0.85 dashlength 1.6 background '#ffffff'
} else {
  exit error 'this gnuplot cannot draw '.format.'; choose png, svg or pdf'
} } } }
set encoding utf8
set output output

X(points) = points / width  # from the left edge
Y(points) = 1 - points / height  # from the top edge

set lmargin at screen X(61.6); set rmargin at screen X(461.6)
set tmargin at screen Y(17.6); set bmargin at screen Y(287.6)
set label 1 'Data: learned-12x12.h5; m = 10,000 images, d = 8 feature dimensions; bound: debiased. Fitted to 4,444 images, chosen by' at screen X(61.6),screen Y(340.4) left font ",9.35" textcolor rgb '#404040'
set label 2 '2,222, estimated from 3,334 others.' at screen X(61.6),screen Y(354.15) left font ",9.35" textcolor rgb '#404040'
set border 3 lc rgb '#404040'
set grid lc rgb '#e2e2e2' lt 1 lw 0.6
set xlabel 'steps'
set ylabel 'information lost [nats]'
set xrange [7.2100037008866416:71.01244621234208]
set xtics out nomirror scale 0.5 ('10' 10.0, '20' 20.0, '50' 50.0)
set logscale x
set yrange [0.024284353871926935:14.136954020176463]
set ytics out nomirror scale 0.5 ('0.05' 0.05, '0.1' 0.1, '0.2' 0.2, '0.5' 0.5, '1' 1.0, '2' 2.0, '5' 5.0, '10' 10.0)
set logscale y
lowest = 0.024284353871926935  # values that are not above it are marked at the edge
set key at screen X(474.8),screen Y(17.6) left top Left reverse vertical maxrows 6 samplen 2 spacing 1.2 font ",9.9"

plot data index 0 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#0072b2' lw 0.8 notitle, \
  data index 0 using 1:($2>lowest?$2:NaN) with linespoints dashtype 1 lw 1.4 pointtype 7 pointsize 0.8 lc rgb '#0072b2' title 'searched', \
  data index 1 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#d55e00' lw 0.8 notitle, \
  data index 1 using 1:($2>lowest?$2:NaN) with linespoints dashtype 2 lw 1.4 pointtype 5 pointsize 0.8 lc rgb '#d55e00' title 'halton, optimal groups', \
  data index 1 using 1:($2<=lowest?lowest:NaN) with points pointtype 10 pointsize 0.9 lc rgb '#d55e00' notitle, \
  data index 2 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#009e73' lw 0.8 notitle, \
  data index 2 using 1:($2>lowest?$2:NaN) with linespoints dashtype 3 lw 1.4 pointtype 9 pointsize 0.8 lc rgb '#009e73' title 'searched in 24 steps, optimal groups', \
  data index 3 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#cc79a7' lw 0.8 notitle, \
  data index 3 using 1:($2>lowest?$2:NaN) with linespoints dashtype 4 lw 1.4 pointtype 13 pointsize 0.8 lc rgb '#cc79a7' title 'halton, cosine groups', \
  data index 4 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#56b4e9' lw 0.8 notitle, \
  data index 4 using 1:($2>lowest?$2:NaN) with points pointtype 6 pointsize 0.8 lc rgb '#56b4e9' title 'distant, n = 16 and 4', \
  NaN with points pointtype 10 pointsize 0.9 lc rgb '#404040' title 'below the axis: ≤ 0 or within its error'
unset output
