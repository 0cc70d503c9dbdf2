# Entropy increase of each generation step (the total correlation of its tokens).
#
# token-entropy 0.1.0
# command: appendix-figures --tokens learned --output-dir Plots/learned --figure-format png
# input: learned-24x24.h5, hash xxh64:65c90d0c40dd5097
#
# Draw it in this folder:    gnuplot increase-per-step.gp
# as png, svg or pdf:        gnuplot -e "format='pdf'" increase-per-step.gp

if (!exists("format")) format = 'png'
if (!exists("output")) output = 'increase-per-step.'.format
data = 'increase-per-step.dat'
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
set label 1 'Total correlation of a step'."'".'s tokens given all earlier steps; bars: standard error. Data: learned-24x24.h5;' at screen X(61.6),screen Y(340.4) left font ",9.35" textcolor rgb '#404040'
set label 2 'm = 10,000 images, d = 8 feature dimensions; bound: debiased.' at screen X(61.6),screen Y(354.15) left font ",9.35" textcolor rgb '#404040'
set border 3 lc rgb '#404040'
set grid lc rgb '#e2e2e2' lt 1 lw 0.6
set xlabel 'generation step'
set ylabel 'entropy increase per step [nats]'
set xrange [-6:154]
set xtics out nomirror scale 0.5 ('0' 0.0, '50' 50.0, '100' 100.0, '150' 150.0)
set yrange [0.00133:5.63]
set ytics out nomirror scale 0.5 ('0.01' 0.01, '0.1' 0.1, '1' 1.0)
set logscale y
lowest = 0.00133  # values that are not above it are marked at the edge
set key at screen X(474.8),screen Y(17.6) left top Left reverse vertical maxrows 3 samplen 2 spacing 1.2 font ",9.9"

set errorbars 0
plot data index 0 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#0072b2' lw 0.5 notitle, \
  data index 0 using 1:($2>lowest?$2:NaN) with linespoints dashtype 1 lw 0.8 pointtype 7 pointsize 0.4 lc rgb '#0072b2' title 'distant', \
  data index 0 using 1:($2<=lowest?lowest:NaN) with points pointtype 10 pointsize 0.9 lc rgb '#0072b2' notitle, \
  data index 1 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#d55e00' lw 0.5 notitle, \
  data index 1 using 1:($2>lowest?$2:NaN) with linespoints dashtype 1 lw 0.8 pointtype 5 pointsize 0.4 lc rgb '#d55e00' title 'raster', \
  data index 1 using 1:($2<=lowest?lowest:NaN) with points pointtype 10 pointsize 0.9 lc rgb '#d55e00' notitle, \
  NaN with points pointtype 10 pointsize 0.9 lc rgb '#404040' title 'below the axis: ≤ 0 or within its error'
unset output
